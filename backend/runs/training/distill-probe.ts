/** The probe of a distillation: made from its config, and recorded as fields and as curves per noise level. */
import type { DistillTrainer } from '../../dmd/distill.ts';
import { Probe } from '../../dmd/probe.ts';
import type { Engine } from '../../engine/engine.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { Recorder } from './recorder.ts';
import type { Teacher } from './teacher.ts';

/** Null when the probe is off, or distribution matching is: then there are no scores to compare. */
export async function createProbe(
  engine: Engine,
  config: DistillConfig,
  { network }: Teacher,
  levels: ArrayLike<number>,
): Promise<Probe | null> {
  const { matching, record, generator } = config;
  if (!matching.enabled || record.probeEvery === 0) return null;
  return Probe.create(engine, {
    network,
    teacher: network,
    generatorSigma: generator.sigma,
    matching: { weight: matching.weight, realOnly: matching.realOnly },
    seed: record.probe.seed,
    count: record.probe.count,
    sigmas: record.probe.levels.map((level) => levels[level]),
  });
}

/** Fields go to fields/probe; direction cosine and residual ratio become curves named after the level's index. */
export async function recordProbe(
  recorder: Recorder,
  step: number,
  probe: Probe,
  { record, generator }: DistillConfig,
  { generator: weights, fake, teacher }: DistillTrainer['parameters'],
): Promise<void> {
  const { tensors, cosine, residualRatio } = await probe.read({
    generator: weights,
    fake,
    teacher: teacher!,
  });
  const levels = record.probe.levels;
  recorder.fields(step, 'probe', tensors, {
    levels: JSON.stringify(levels),
    generatorSigma: String(generator.sigma),
  });
  recorder.add(step, {
    scalars: Object.fromEntries([
      ...cosine.map((value, i) => [`probe/cosine/${levels[i]}`, value]),
      ...residualRatio.map((value, i) => [`probe/residual/${levels[i]}`, value]),
    ]),
  });
}
