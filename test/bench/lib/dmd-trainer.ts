/** The trainer whose iterations benches time. */
import type { Engine } from '../../../backend/engine/engine.ts';
import { l2Distance } from '../../../backend/methods/common/distance.ts';
import type { Trainer } from '../../../backend/training/trainer.ts';
import type { UpdateSettings } from '../../../backend/training/update-graph.ts';
import { edmDistillation, samePairs } from '../../unit/training/edm-distillation.ts';
import { batch, type DmdCase, settings } from './dmd-case.ts';

const update: UpdateSettings = {
  learningRate: settings.learningRate,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clip: settings.clip,
  emaDecays: [settings.emaDecay],
};

export async function benchTrainer(engine: Engine, bench: DmdCase): Promise<Trainer> {
  const { z, y, labels } = bench.pairs;
  const { trainer } = await edmDistillation(engine, {
    ...{ network: bench.network, teacherParameters: bench.weights.teacher, batch, sigmas: bench.levels },
    matching: { weight: 'eq8', realOnly: false },
    regression: { batch, distance: l2Distance },
    ...{ seed: 1, accumulation: 1, fakeUpdates: 1, draws: bench.draws, emas: [settings.emaDecay] },
    pairs: samePairs(z, y, labels),
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda: settings.lambda },
      ...{ firstLevel: 20, lastLevel: 980 },
    }),
    start: bench.weights,
  });
  return trainer;
}
