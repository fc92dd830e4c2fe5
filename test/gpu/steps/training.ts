/** The training that the steps run on a device: one DMD iteration after the other, from the same weights and draws on every device. */
import type { Engine } from '../../../backend/engine/engine.ts';
import type { Trainer } from '../../../backend/training/trainer.ts';
import { dmdCase } from '../../bench/lib/dmd-case.ts';
import { benchTrainer } from '../../bench/lib/dmd-trainer.ts';
import { createTrainer } from '../../integration/dmd-iteration/iteration.ts';

/** The bench's: 32 images and 32 pairs of the built-in network; small: 2 and 3 of one of 8x8 pixels. */
export function trainingOn(engine: Engine, small: boolean): Promise<Trainer> {
  return small ? createTrainer(engine) : benchTrainer(engine, dmdCase());
}

export const trainingInWords = (small: boolean) =>
  small ? 'a network of 8x8 pixels, 2 images and 3 pairs' : 'the built-in network, 32 images and 32 pairs';
