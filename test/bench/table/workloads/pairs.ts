/** Noise-image pairs of the built-in teacher, 18 Heun steps each, as `dmd pairs` makes and stores them. */
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { edmPairs } from '../../../../backend/methods/common/edm-teacher.ts';
import { makePairs } from '../../../../backend/methods/common/pairs.ts';
import { classConditions } from '../../../../backend/models/conditions.ts';
import { openModel } from '../../../../backend/models/model-file.ts';
import type { Workload } from '../workload.ts';
import { edmSample } from './edm-sample.ts';

const [count, steps] = [64, 18];

export const pairs: Workload = {
  makes: { count, what: 'pairs' },
  // A peer samples as many; it stores none.
  prepare: (folder) => edmSample({ of: 'built-in', steps, batch: count }).prepare(folder),
  async ready({ engine, folder, begin }) {
    begin();
    const { network, weights, sha256 } = await openModel('builtin:scenes/teacher');
    const making = edmPairs({ network, weights, sha256 }, { steps, sigmaMax: 80, labels: 'uniform', batch: count });
    const conditions = classConditions(network.labelDim);
    return {
      async turn() {
        const own = await mkdtemp(path.join(folder, 'pairs-'));
        const none = { onProgress: () => {}, signal: new AbortController().signal };
        await makePairs(own, { engine, pairs: making, conditions, count, seed: 1, ...none });
        await rm(own, { recursive: true });
      },
      answers: async () => new Map(),
      dispose: async () => {},
    };
  },
};
