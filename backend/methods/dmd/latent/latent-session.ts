/** Distilling a text-to-image teacher as a run (the paper's Stable Diffusion recipe). */
import path from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { roundToHalves } from '../../../graph/half.ts';
import type { TensorData } from '../../../graph/tensor-data.ts';
import { openTextTeacher, type TextTeacher, teacherInputs } from '../../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../../protocol/config/index.ts';
import { stream } from '../../../random/stream.ts';
import {
  isDue,
  type Preview,
  type SessionContext,
  type SessionPlan,
  type TrainingSession,
} from '../../../training/session.ts';
import { DistillTrainer } from '../distill.ts';
import { DistillProbe } from '../distill-probe.ts';
import { DistillSession } from '../distill-run.ts';
import { Probe } from '../probe.ts';
import { distillSettings } from '../settings.ts';
import { openDecoder } from './decoder.ts';
import { type OpenLatentDistance, openLatentDistance } from './distance.ts';
import { TextEmbeddings } from './embeddings.ts';
import type { LatentMatching, LatentShape } from './generator-graph.ts';
import { latentMethod } from './method.ts';
import { openOrMakeTextPairs, openTextPairs } from './pairs.ts';
import { latentPreview } from './preview.ts';
import { latentProbe } from './probe.ts';
import { type PromptList, readPrompts } from './prompts.ts';
import { holdsTeacherAsHalf, latentShapeOf } from './shape.ts';
import { writeStudent } from './write-student.ts';

/** Loads and checks everything the config names. Throws UserError; nothing is written. */
export async function planLatentDistill(config: DistillConfig): Promise<SessionPlan> {
  const teacher = openTextTeacher(config);
  const prompts = readPrompts(config);
  const { enabled, pairs } = config.regression;
  if (enabled && pairs.path !== undefined) await openTextPairs(teacher, pairs.path);
  const distance = await openLatentDistance(config, teacher);
  const inputs = { ...(await teacherInputs(teacher)), ...distance.inputs };
  return {
    // Fields and probe share the budget evenly.
    fieldBytes: (config.record.budgetMB * 1e6) / 2,
    inputs,
    start: (context) => start(config, { teacher, sha256: inputs.teacher!.sha256, prompts, distance }, context),
  };
}

interface Opened {
  readonly teacher: TextTeacher;
  /** Of the UNet. */
  readonly sha256: string;
  readonly prompts: PromptList;
  readonly distance: OpenLatentDistance;
}

async function start(config: DistillConfig, opened: Opened, context: SessionContext): Promise<TrainingSession> {
  const { engine, report } = context;
  const { teacher, prompts, distance } = opened;
  const { seed, regression, accumulation, record, iterations } = config;
  const embeddings = new TextEmbeddings(engine, teacher);
  const pairs = regression.enabled ? await pairsOf(config, opened, embeddings, context) : null;
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const halfTeacher = await holdsTeacherAsHalf(config, engine);
  if (config.text.teacherPrecision === 'float16' && !halfTeacher) report({ type: 'note', ...withoutHalves(engine) });
  const weights = await teacher.model.readWeights('unet');
  if (halfTeacher) for (const { data } of weights.values()) roundToHalves(data);
  const shape = latentShapeOf(config, teacher, regression.enabled ? await distance.create() : null, halfTeacher);
  const listed = await embeddings.listed(prompts.prompts);
  const method = await latentMethod(engine, {
    ...shape,
    ...{ seed, accumulation, pairs, prompts: listed, teacherWeights: weights },
    fakeUpdates: config.fake.updatesPerStep,
    settings: distillSettings(config),
  });
  const flat = (part: 'generator' | 'fake') => shape[part].start(weights, stream(seed, 'adapters', part));
  const trainer = new DistillTrainer(engine, method, { generator: flat('generator'), fake: flat('fake') }, (step) =>
    isDue(record.histogramsEvery, step, iterations),
  );
  const fixedPrompts = (count: number) =>
    listed.embeddings(Array.from({ length: count }, (_, i) => i % prompts.prompts.length));
  const { matching } = shape;
  const createProbe = async () =>
    Probe.of(engine, await probeOf(config, { ...shape, matching: matching! }, fixedPrompts, listed.unconditional));
  const probe = matching ? new DistillProbe(config, createProbe) : null;
  if (record.probeEvery > 0) await probe?.compile();
  const preview = record.samplesEvery > 0 ? await previewOf(config, shape, teacher, fixedPrompts, context) : null;
  return new DistillSession({
    ...{ config, trainer, probe, preview, context },
    writeWeights: async (folder, half) => {
      const student = path.join(folder, 'generator');
      const metadata = { step: trainer.step, teacherSha256: opened.sha256 };
      await writeStudent(student, teacher, await trainer.generatorWeights(), metadata, half);
      return [student];
    },
    dispose: () => embeddings.dispose(),
  });
}

type FixedPrompts = (count: number) => Promise<TensorData>;

async function probeOf(
  { record }: DistillConfig,
  shape: LatentMatching,
  prompts: FixedPrompts,
  unconditional: TensorData,
) {
  const { seed, count, levels } = record.probe;
  return latentProbe(shape, { seed, timesteps: levels, context: await prompts(count), unconditional });
}

async function previewOf(
  { record, seed }: DistillConfig,
  shape: LatentShape,
  teacher: TextTeacher,
  prompts: FixedPrompts,
  { engine }: SessionContext,
): Promise<Preview> {
  const decoder = await openDecoder(null, teacher);
  return latentPreview(engine, { shape, seed, context: await prompts(record.samples), decoder });
}

async function pairsOf(config: DistillConfig, opened: Opened, embeddings: TextEmbeddings, context: SessionContext) {
  const { engine, folder, report, signal } = context;
  const { pairs, warning } = await openOrMakeTextPairs(config, path.join(folder, 'pairs'), {
    ...{ engine, embeddings, ...opened },
    onProgress: (done, total) => report({ type: 'work', label: 'pairs', done, total, unit: 'pairs' }),
    signal,
  });
  if (warning) report({ type: 'note', level: 'warning', text: warning });
  return pairs;
}

const withoutHalves = ({ device }: Engine) =>
  ({ level: 'warning', text: `${device} cannot hold float16: the teacher stays in float32` }) as const;
