/** A distillation as it runs, of whatever family of models: what is recorded of it, and the model it ends with. */

import type { DistillConfig } from '../../protocol/config/index.ts';
import {
  gradientHistograms,
  isDue,
  type Preview,
  type SessionContext,
  type TrainingSession,
} from '../../training/session.ts';
import type { Scalars, StepReport } from '../../training/trainer.ts';
import type { DistillTrainer, StepSettings } from './distill.ts';
import type { DistillProbe } from './distill-probe.ts';
import { distillSettings } from './settings.ts';

/** What the trainer's numbers are recorded as. */
const tags: Readonly<Record<string, string>> = {
  lossMatching: 'loss/matching',
  lossRegression: 'loss/regression',
  lossFake: 'loss/fake',
  normGenerator: 'norm/generator',
  normFake: 'norm/fake',
  gradientMean: 'gradient/mean',
  residualReal: 'residual/real',
  residualFake: 'residual/fake',
};

export interface DistillParts {
  readonly config: DistillConfig;
  readonly trainer: DistillTrainer;
  readonly probe: DistillProbe | null;
  readonly preview: Preview | null;
  readonly context: SessionContext;
  readonly writeWeights: TrainingSession['writeWeights'];
  /** Frees what else was opened for it. */
  dispose?(): Promise<void>;
}

export class DistillSession implements TrainingSession {
  readonly trainer: DistillTrainer;
  readonly readProbe: TrainingSession['readProbe'];
  readonly #parts: DistillParts;
  readonly #settings: (step: number) => StepSettings;

  constructor(parts: DistillParts) {
    this.trainer = parts.trainer;
    this.#parts = parts;
    const { probe, trainer } = parts;
    this.readProbe = probe ? (step) => probe.live(step, trainer.parameters) : undefined;
    this.#settings = distillSettings(parts.config);
  }

  scalars({ step, scalars }: StepReport): Scalars {
    const { generator, fake, lambda, firstLevel, lastLevel } = this.#settings(step);
    return {
      ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [tags[name] ?? name, value])),
      'rate/generator': generator.learningRate,
      'rate/fake': fake.learningRate,
      lambda,
      'level/first': firstLevel,
      'level/last': lastLevel,
    };
  }

  async record(step: number): Promise<void> {
    const { config, probe, preview, context } = this.#parts;
    const { record, iterations } = config;
    const { recorder } = context;
    const { parameters } = this.trainer;
    if (preview && isDue(record.samplesEvery, step, iterations)) {
      recorder.samples(step, await preview.images(parameters.average, parameters.teacher));
    }
    if (probe && isDue(record.probeEvery, step, iterations)) await probe.record(recorder, step, parameters);
    if (isDue(record.histogramsEvery, step, iterations)) await this.#histograms(step);
    if (step > 0 && isDue(record.fieldsEvery, step, iterations)) {
      recorder.fields(step, 'training', await this.trainer.fields(), {
        generatorSigma: String(config.generator.sigma),
      });
    }
  }

  async #histograms(step: number): Promise<void> {
    const { generator, fake } = this.trainer.parameters;
    const { grad } = this.trainer.tensors;
    this.#parts.context.recorder.add(step, {
      histograms: {
        'weights/generator': await generator.read(),
        'weights/fake': await fake.read(),
        ...gradientHistograms(await this.trainer.gradients.read()),
        ...(grad ? { 'field/grad': await grad.read() } : {}),
      },
    });
  }

  writeWeights(folder: string, half: boolean): Promise<string[]> {
    return this.#parts.writeWeights(folder, half);
  }

  async dispose(): Promise<void> {
    const { probe, preview } = this.#parts;
    await probe?.dispose();
    await preview?.dispose();
    await this.trainer.dispose();
    await this.#parts.dispose?.();
  }
}
