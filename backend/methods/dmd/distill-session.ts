/** Distilling as a run: its teacher and pairs, and what is recorded of it. */
import path from 'node:path';
import { karrasSigmas } from '../../diffusion/karras.ts';
import { loadTeacher, type Teacher } from '../../models/teacher.ts';
import { isTextTeacher } from '../../models/text/text-teacher.ts';
import { writeModel } from '../../models/write-model.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { isDue, type SessionContext, type SessionPlan, type TrainingSession } from '../../training/session.ts';
import { DistillTrainer } from './distill.ts';
import { DistillProbe, probeOptions } from './distill-probe.ts';
import { DistillSession } from './distill-run.ts';
import type { Distance } from './generator-graph.ts';
import { GeneratorPreview } from './generator-preview.ts';
import { planLatentDistill } from './latent/latent-session.ts';
import { openPairsFor, openReferencePairs } from './pairs.ts';
import { Probe } from './probe.ts';
import { openDistance } from './regression-distance.ts';
import { distillSettings } from './settings.ts';

/** Loads and checks everything the config names. Throws UserError; nothing is written. */
export async function planDistill(config: DistillConfig): Promise<SessionPlan> {
  if (isTextTeacher(config.teacher)) return planLatentDistill(config);
  refuseTextKeys(config);
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

/** Prompts say that a text-to-image teacher is meant; everything else of `text` has defaults. */
function refuseTextKeys({ text, teacher }: DistillConfig): void {
  if (text.prompts === undefined) return;
  const message = `text.prompts: ${teacher} is no text-to-image model`;
  throw new UserError('config', message, 'Name a diffusers folder as teacher, or remove the key.');
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
  const createProbe = () => Probe.create(engine, probeOptions(config, network));
  const probe = matching.enabled ? new DistillProbe(config, createProbe) : null;
  if (record.probeEvery > 0) await probe?.compile();
  const preview = record.samplesEvery > 0 ? await GeneratorPreview.create(engine, config, network) : null;
  const writeWeights = (folder: string, half: boolean) => writeGenerator(folder, half, { config, teacher, trainer });
  return new DistillSession({ config, trainer, probe, preview, context, writeWeights });
}

async function writeGenerator(
  folder: string,
  half: boolean,
  { config, teacher, trainer }: { config: DistillConfig; teacher: Teacher; trainer: DistillTrainer },
): Promise<string[]> {
  const file = path.join(folder, 'generator.safetensors');
  const metadata = {
    'dmd.role': 'generator',
    'dmd.generatorSigma': String(config.generator.sigma),
    'dmd.step': String(trainer.step),
    'dmd.teacher': teacher.sha256,
  };
  await writeModel(file, teacher.network.config, await trainer.generatorWeights(), metadata, half);
  return [file];
}

async function pairsOf(config: DistillConfig, teacher: Teacher, { engine, folder, report, signal }: SessionContext) {
  const own = path.join(folder, 'pairs');
  const { pairs, warning } = await openReferencePairs(config, own, {
    engine,
    teacher,
    onProgress: (done, total) => report({ type: 'work', label: 'pairs', done, total, unit: 'pairs' }),
    signal,
  });
  if (warning) report({ type: 'note', level: 'warning', text: warning });
  return pairs;
}
