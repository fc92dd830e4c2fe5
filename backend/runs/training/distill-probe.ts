/**
 * The probe of a distillation: made from its config, recorded as fields and as curves per noise level, and shown live.
 * Compiled when it is first needed. A state is probed once, even when its reading is both recorded and shown.
 */
import type { DistillTrainer } from '../../dmd/distill.ts';
import { Probe, type ProbeReading } from '../../dmd/probe.ts';
import type { Engine } from '../../engine/engine.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { RunMessageOf } from '../../protocol/run-messages.ts';
import type { Recorder } from './recorder.ts';
import type { Teacher } from './teacher.ts';

type Parameters = DistillTrainer['parameters'];

export class DistillProbe {
  readonly #engine: Engine;
  readonly #config: DistillConfig;
  readonly #teacher: Teacher;
  readonly #levels: ArrayLike<number>;
  #probe: Promise<Probe> | undefined;
  /** Recorded a moment ago, and nobody's yet. */
  #recorded: { step: number; reading: ProbeReading } | undefined;

  /** @param levels the ladder that record.probe.levels are indices of */
  constructor(engine: Engine, config: DistillConfig, teacher: Teacher, levels: ArrayLike<number>) {
    this.#engine = engine;
    this.#config = config;
    this.#teacher = teacher;
    this.#levels = levels;
  }

  compile(): Promise<Probe> {
    const { matching, record, generator } = this.#config;
    const { network } = this.#teacher;
    this.#probe ??= Probe.create(this.#engine, {
      network,
      teacher: network,
      generatorSigma: generator.sigma,
      matching: { weight: matching.weight, realOnly: matching.realOnly },
      seed: record.probe.seed,
      count: record.probe.count,
      sigmas: record.probe.levels.map((level) => this.#levels[level]),
    });
    return this.#probe;
  }

  /** Fields go to fields/probe; direction cosine and residual ratio become curves named after the level's index. */
  async record(recorder: Recorder, step: number, parameters: Parameters): Promise<void> {
    const reading = await this.#read(parameters);
    const { levels } = this.#config.record.probe;
    recorder.fields(step, 'probe', reading.tensors, this.#metadata());
    recorder.add(step, {
      scalars: Object.fromEntries([
        ...reading.cosine.map((value, i) => [`probe/cosine/${levels[i]}`, value]),
        ...reading.residualRatio.map((value, i) => [`probe/residual/${levels[i]}`, value]),
      ]),
    });
    this.#recorded = { step, reading };
  }

  /** The fields after a step; whoever gets them owns them. */
  async live(step: number, parameters: Parameters): Promise<RunMessageOf<'probe'>> {
    const recorded = this.#recorded?.step === step ? this.#recorded.reading : undefined;
    this.#recorded = undefined;
    const { tensors } = recorded ?? (await this.#read(parameters));
    return {
      type: 'probe',
      step,
      tensors: [...tensors].map(([name, { shape, data }]) => ({
        name,
        shape: [...shape],
        data: data as Float32Array<ArrayBuffer>, // can be transferred
      })),
      metadata: { kind: 'probe', step: String(step), ...this.#metadata() },
    };
  }

  async dispose(): Promise<void> {
    const probe = await this.#probe?.catch(() => undefined);
    await probe?.dispose();
  }

  async #read({ generator, fake, teacher }: Parameters): Promise<ProbeReading> {
    const probe = await this.compile();
    return probe.read({ generator, fake, teacher: teacher! });
  }

  #metadata(): Record<string, string> {
    const { record, generator } = this.#config;
    return { levels: JSON.stringify(record.probe.levels), generatorSigma: String(generator.sigma) };
  }
}
