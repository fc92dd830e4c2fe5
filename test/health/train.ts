/** A distillation on networks that a script has in hand, recorded as `dmd distill` records one, sick on purpose or well. */
import type { Engine } from '../../backend/engine/engine.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { recordedScalars } from '../../backend/methods/dmd/tags.ts';
import { Vitals } from '../../backend/methods/dmd/vitals/vitals.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { NumericStop } from '../../backend/training/trainer.ts';
import { type EdmDistillation, edmDistillation, edmShape } from '../unit/training/edm-distillation.ts';
import { type RecordedRun, RunRecording } from './recorded-run.ts';
import type { Sickness } from './seeds.ts';
import { infect } from './sickness.ts';

export interface RunOptions {
  readonly distillation: EdmDistillation;
  readonly iterations: number;
  readonly every: number;
  /** The teacher's samples. */
  readonly reference: TensorData;
  readonly sickness: Sickness;
}

/** Ends early at a NaN, as a run does. */
export async function recordRun(engine: Engine, options: RunOptions): Promise<RecordedRun> {
  const { distillation, iterations, every, reference, sickness } = options;
  const { seed, accumulation, network } = distillation;
  const { trainer, procedure } = await edmDistillation(engine, distillation);
  const vitals = new Vitals(engine, edmShape(distillation), procedure, trainer, {
    ...{ seed, every, accumulation, conditions: classConditions(network.labelDim) },
    teacherSamples: async () => ({ y: reference, conditions: {} }),
  });
  const recording = new RunRecording();
  const onStage = sickness === 'well' ? undefined : infect(sickness);
  try {
    while (trainer.step < iterations) {
      const { step, scalars } = await trainer.advance(onStage ? { onStage } : {});
      recording.add(step, { scalars: recordedScalars(scalars) });
      await vitals.record(recording, step);
    }
  } catch (error) {
    if (!(error instanceof NumericStop)) throw error;
    recording.add(error.step, { scalars: recordedScalars(error.scalars) });
  } finally {
    await vitals.dispose();
    await trainer.dispose();
  }
  return recording.curves;
}
