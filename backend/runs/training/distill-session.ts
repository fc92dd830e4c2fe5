/** Distilling as a run: its teacher and pairs, and what is recorded of it. */
import path from 'node:path';
import { karrasSigmas } from '../../diffusion/karras.ts';
import { DistillTrainer, type StepSettings } from '../../dmd/distill.ts';
import type { Distance } from '../../dmd/generator-graph.ts';
import { distillSettings } from '../../dmd/schedule.ts';
import type { Scalars, StepReport } from '../../dmd/trainer.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { DistillProbe } from './distill-probe.ts';
import { GeneratorPreview } from './generator-preview.ts';
import { openPairsFor, openReferencePairs } from './pairs.ts';
import { openDistance } from './regression-distance.ts';
import { gradientHistograms, isDue, type SessionContext, type SessionPlan, type TrainingSession } from './session.ts';
import { loadTeacher, type Teacher } from './teacher.ts';
import { writeModel } from './write-model.ts';

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

/** Loads and checks everything the config names. Throws UserError; nothing is written. */
export async function planDistill(config: DistillConfig): Promise<SessionPlan> {
  const teacher = await loadTeacher(config.teacher);
  if (config.labels === 'none' && teacher.network.labelDim === 0) {
    const hint = 'Remove labels from the config.';
    throw new UserError('config', `labels: ${teacher.path} has no classes that could be left out`, hint);
  }
  const { enabled, pairs } = config.regression;
  if (enabled && pairs.path !== undefined) await openPairsFor(teacher, pairs.path);
  const { distance, inputs } = await openDistance(config, teacher);
  return {
    // Fields and probe share the budget evenly.
    fieldBytes: (config.record.budgetMB * 1e6) / 2,
    inputs: { teacher: { path: teacher.path, sha256: teacher.sha256 }, ...inputs },
    start: (context) => startDistill(config, teacher, distance, context),
  };
}

async function startDistill(
  config: DistillConfig,
  teacher: Teacher,
  distance: Distance,
  context: SessionContext,
): Promise<TrainingSession> {
  const { engine, report } = context;
  const { network, weights } = teacher;
  const { batch, accumulation, seed, labels, regression, matching, generator, record } = config;
  const pairs = regression.enabled ? await pairsOf(config, teacher, context) : null;
  const { sigmaMin, sigmaMax, rho, count } = matching.levels;
  const levels = karrasSigmas(count, { sigmaMin, sigmaMax, rho });
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const trainer = await DistillTrainer.create(
    engine,
    {
      network,
      teacher: network,
      teacherParameters: weights,
      batch,
      accumulation,
      seed,
      labels,
      levels,
      pairs,
      generatorSigma: generator.sigma,
      sigmaData: 'sigma_data' in network.config ? network.config.sigma_data : 0.5,
      matching: matching.enabled ? { weight: matching.weight, realOnly: matching.realOnly } : null,
      regression: regression.enabled ? { batch: regression.batch ?? batch, distance } : null,
      fakeUpdates: config.fake.updatesPerStep,
      settings: distillSettings(config),
      keepsGradients: (step) => isDue(record.histogramsEvery, step, config.iterations),
    },
    { generator: weights, fake: weights },
  );
  const probe = matching.enabled ? new DistillProbe(engine, config, teacher, levels) : null;
  if (record.probeEvery > 0) await probe?.compile();
  const preview = record.samplesEvery > 0 ? await GeneratorPreview.create(engine, config, network) : null;
  return new DistillSession({ config, teacher, trainer, probe, preview, context });
}

interface Parts {
  readonly config: DistillConfig;
  readonly teacher: Teacher;
  readonly trainer: DistillTrainer;
  readonly probe: DistillProbe | null;
  readonly preview: GeneratorPreview | null;
  readonly context: SessionContext;
}

class DistillSession implements TrainingSession {
  readonly trainer: DistillTrainer;
  readonly readProbe: TrainingSession['readProbe'];
  readonly #parts: Parts;
  readonly #settings: (step: number) => StepSettings;

  constructor(parts: Parts) {
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
      recorder.samples(step, await preview.images(parameters.average));
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

  async writeWeights(folder: string, half: boolean): Promise<string[]> {
    const { config, teacher } = this.#parts;
    const file = path.join(folder, 'generator.safetensors');
    const metadata = {
      'dmd.role': 'generator',
      'dmd.generatorSigma': String(config.generator.sigma),
      'dmd.step': String(this.trainer.step),
      'dmd.teacher': teacher.sha256,
    };
    await writeModel(file, teacher.network.config, await this.trainer.generatorWeights(), metadata, half);
    return [file];
  }

  async dispose(): Promise<void> {
    const { probe, preview } = this.#parts;
    await probe?.dispose();
    await preview?.dispose();
    await this.trainer.dispose();
  }
}

async function pairsOf(config: DistillConfig, teacher: Teacher, { engine, paths, report, control }: SessionContext) {
  const own = path.join(paths.folder, 'pairs');
  const { pairs, warning } = await openReferencePairs(config, own, {
    engine,
    teacher,
    onProgress: (done, total) => report({ type: 'work', label: 'pairs', done, total, unit: 'pairs' }),
    signal: control.signal,
  });
  if (warning) report({ type: 'note', level: 'warning', text: warning });
  return pairs;
}
