/** The teachings: one network, or several that are trained together on one loss. What is recorded of it; pictures are each one's own. */

import type { TensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { histogramsOf, isDue, type SessionContext, type TrainingSession } from '../training/session.ts';
import type { Scalars, StepReport, Trainer } from '../training/trainer.ts';

export interface LossSessionParts {
  readonly config: {
    readonly iterations: number;
    readonly record: { readonly samplesEvery: number; readonly histogramsEvery: number };
  };
  readonly trainer: Trainer;
  readonly context: SessionContext;
  /** Records pictures of the state after `step`. Called only where samples are due. */
  recordSamples(step: number): Promise<void>;
  writeWeights: TrainingSession['writeWeights'];
  /** Of everything but the trainer. */
  dispose(): Promise<void>;
}

export class LossSession implements TrainingSession {
  readonly trainer: Trainer;
  readonly writeWeights: TrainingSession['writeWeights'];
  readonly #parts: LossSessionParts;

  constructor(parts: LossSessionParts) {
    this.trainer = parts.trainer;
    this.writeWeights = parts.writeWeights;
    this.#parts = parts;
  }

  scalars({ scalars }: StepReport): Scalars {
    return scalars;
  }

  async record(step: number): Promise<void> {
    const { config, context, recordSamples } = this.#parts;
    const { record, iterations } = config;
    if (isDue(record.samplesEvery, step, iterations)) await recordSamples(step);
    if (isDue(record.histogramsEvery, step, iterations)) {
      context.recorder.add(step, { histograms: await histogramsOf(this.trainer) });
    }
  }

  async dispose(): Promise<void> {
    await this.#parts.dispose();
    await this.trainer.dispose();
  }
}

/** What `draw` gives, for the record; a network that is not far enough to give any pictures is a warning. */
export async function recordDrawn(
  { recorder, report }: SessionContext,
  step: number,
  draw: () => Promise<TensorData>,
): Promise<void> {
  try {
    recorder.samples(step, await draw());
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'numeric') throw error;
    report({ type: 'note', level: 'warning', text: `no samples: ${error.message}` });
  }
}
