/**
 * The probe of a distillation: made from its config, recorded as fields and as curves per noise level, and shown live.
 * Compiled when it is first needed. A state is probed once, even when its reading is both recorded and shown.
 */
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { RunMessageOf } from '../../protocol/run-messages.ts';
import type { Records } from '../../training/session.ts';
import type { Probe, ProbeReading } from './probe.ts';

type Networks = Parameters<Probe['read']>[0];

export class RecordedProbe {
  readonly #config: DistillConfig;
  readonly #create: () => Promise<Probe>;
  #probe: Promise<Probe> | undefined;
  /** Recorded a moment ago, and nobody's yet. */
  #recorded: { step: number; reading: ProbeReading } | undefined;

  constructor(config: DistillConfig, create: () => Promise<Probe>) {
    this.#config = config;
    this.#create = create;
  }

  compile(): Promise<Probe> {
    this.#probe ??= this.#create();
    return this.#probe;
  }

  /** Fields go to fields/probe; direction cosine and residual ratio become curves named after the level's index. */
  async record(recorder: Records, step: number, parameters: Networks): Promise<void> {
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
  async live(step: number, parameters: Networks): Promise<RunMessageOf<'probe'>> {
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

  async #read(parameters: Networks): Promise<ProbeReading> {
    return (await this.compile()).read(parameters);
  }

  #metadata(): Record<string, string> {
    const { record, generator } = this.#config;
    return { levels: JSON.stringify(record.probe.levels), generatorSigma: String(generator.sigma) };
  }
}
