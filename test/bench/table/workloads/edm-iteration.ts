/** One DMD iteration of an EDM network: generation, both scores, regression, both backward passes, AdamW, EMA. */
import path from 'node:path';
import { l2Distance } from '../../../../backend/methods/common/distance.ts';
import type { UpdateSettings } from '../../../../backend/training/update-graph.ts';
import { writeSafetensors } from '../../../../backend/weights/safetensors.ts';
import { edmDistillation, samePairs } from '../../../unit/training/edm-distillation.ts';
import { type DmdCaseOptions, dmdCase, settings } from '../../lib/dmd-case.ts';
import { caseFile, type Workload } from '../workload.ts';
import { scalarAnswers } from './scalars.ts';

export function edmIteration(options: Required<DmdCaseOptions>): Workload {
  return {
    async prepare(folder) {
      const { tensors, network } = dmdCase(options);
      const metadata = { network: JSON.stringify(network.config), settings: JSON.stringify(settings) };
      await writeSafetensors(path.join(folder, caseFile), tensors, {
        metadata: { ...metadata, kind: 'edm-iteration' },
      });
    },
    async ready({ engine, begin }) {
      const { network, levels, weights, draws, pairs } = dmdCase(options);
      begin();
      const { clip, learningRate, lambda, emaDecay } = settings;
      const update: UpdateSettings = {
        ...{ learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip },
        emaDecays: [emaDecay],
      };
      const { batch } = options;
      const { trainer } = await edmDistillation(engine, {
        ...{ network, teacherParameters: weights.teacher, batch, sigmas: levels, draws, start: weights },
        matching: { weight: 'eq8', realOnly: false },
        regression: { batch, distance: l2Distance },
        ...{ seed: 1, accumulation: 1, fakeUpdates: 1, emas: [emaDecay] },
        pairs: samePairs(pairs.z, pairs.y, pairs.labels),
        settings: () => ({
          ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda },
          ...{ firstLevel: 20, lastLevel: 980 },
        }),
      });
      return scalarAnswers(trainer);
    },
  };
}
