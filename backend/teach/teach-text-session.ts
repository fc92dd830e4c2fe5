/** Teaching a text-to-image model as a run: what it begins with, what is recorded of it, and the diffusers folder it becomes. */
import path from 'node:path';
import { captionedSize } from '../data/captioned/scene.ts';
import { vpSchedule } from '../diffusion/vp/index.ts';
import { sizeOf } from '../graph/tensor-data.ts';
import type { TeachTextConfig } from '../protocol/config/index.ts';
import { stream } from '../random/stream.ts';
import { LatentProgram } from '../sampling/latent-programs.ts';
import { averagedWeights } from '../training/loss-procedure.ts';
import { emasOf, updateSettingsOf } from '../training/schedule.ts';
import { isDue, type SessionContext, type SessionPlan, type TrainingSession } from '../training/session.ts';
import type { Trainer } from '../training/trainer.ts';
import { writeDiffusersFolder } from '../weights/diffusers/index.ts';
import { heldOutBatch, trainingBatch, trainingIndices } from './captioned-images.ts';
import { weightsOf } from './joint-layout.ts';
import { encodePool, type LatentPool } from './latent-pool.ts';
import { LossSession, recordDrawn } from './loss-session.ts';
import { createTextTrainer, textLayout } from './teach-text.ts';
import { textParts } from './text-loss.ts';
import { openTextParts, type TextModelParts } from './text-model-parts.ts';
import { TextPreview } from './text-preview.ts';

/** Images per call of the encoder. */
const encodedAtOnce = 32;
/** The folder of the finished model, in the run folder. */
const folderName = 'teacher';
/** Sampler steps of the finished model where none are asked for. */
const usualSteps = 25;

/** Opens and checks everything the config names. Throws UserError; nothing is written. */
export async function planTeachText(config: TeachTextConfig): Promise<SessionPlan> {
  const parts = await openTextParts(config);
  return { fieldBytes: 0, inputs: async () => parts.inputs, start: (context) => start(config, parts, context) };
}

async function start(
  config: TeachTextConfig,
  model: TextModelParts,
  context: SessionContext,
): Promise<TrainingSession> {
  const { engine, report, ranks } = context;
  const { seed, batch, accumulation, loss, record, iterations, scheduler } = config;
  const pool = await encodeImages(config, model, context);
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const trainer = await createTextTrainer(engine, {
    ...{ networks: model.networks, seed, batch, accumulation, ranks, initial: model.initial },
    schedule: vpSchedule(model.scheduler),
    predictionType: scheduler.prediction_type,
    minTimestep: loss.minTimestep,
    emptyPrompts: loss.emptyPrompts,
    minSnrGamma: loss.minSnrGamma,
    emptyIds: model.ids(''),
    settings: updateSettingsOf(config),
    emas: emasOf(config.ema),
    keepsGradients: (step) => isDue(record.histogramsEvery, step, iterations),
    samples: (step, micro, count) => pool.samples(trainingIndices(config, step, micro, count)),
  });
  const preview = record.samplesEvery > 0 ? await createPreview(config, model, context) : null;
  const parts = { config, model, trainer, preview, context };
  return new LossSession({
    ...{ config, trainer, context },
    recordSamples: (step) => recordSamples(parts, step),
    writeWeights: (folder, half) => writeTeacher(parts, folder, half),
    async dispose() {
      await preview?.sampler.dispose();
      await preview?.decoder.dispose();
    },
  });
}

/** Every training image as latents; said as work, since it takes a while. Throws UserError('cancelled') when stopped. */
async function encodeImages(
  config: TeachTextConfig,
  { vae, ids }: TextModelParts,
  { engine, report, signal }: SessionContext,
): Promise<LatentPool> {
  const { count } = config.data;
  const { network, weights, scale } = vae;
  const size = captionedSize;
  const program = await LatentProgram.create(engine, 'encode', { network, size, batch: encodedAtOnce, weights, scale });
  const source = { count, batch: (indices: readonly number[]) => trainingBatch(config, indices), ids };
  const onProgress = (done: number) => report({ type: 'work', label: 'encoding', unit: 'images', done, total: count });
  try {
    return await encodePool(source, program, { block: encodedAtOnce, onProgress, signal });
  } finally {
    await program.dispose();
  }
}

interface Preview {
  readonly sampler: TextPreview;
  readonly decoder: LatentProgram;
}

async function createPreview(
  { record }: TeachTextConfig,
  { networks, scheduler, vae }: TextModelParts,
  { engine }: SessionContext,
): Promise<Preview> {
  const { samples: count, sampleSteps: steps, guidance } = record;
  const layout = textLayout(networks);
  const { network, weights, scale } = vae;
  return {
    sampler: await TextPreview.create(engine, { networks, layout, count, scheduler, steps, guidance }),
    decoder: await LatentProgram.create(engine, 'decode', {
      ...{ network, size: captionedSize, batch: count, weights, scale },
    }),
  };
}

interface Parts {
  readonly config: TeachTextConfig;
  readonly model: TextModelParts;
  readonly trainer: Trainer;
  readonly preview: Preview | null;
  readonly context: SessionContext;
}

/** Pictures of held-out prompts by the averaged networks. */
async function recordSamples({ config, model, trainer, preview, context }: Parts, step: number): Promise<void> {
  if (!preview) return;
  const { samples: count } = config.record;
  const { captions } = heldOutBatch(config, count);
  const rows = captions.map((caption) => model.ids(caption));
  const data = new Float32Array(rows.flatMap((row) => [...row]));
  const ids = { shape: [count, data.length / count], data };
  const shape = [count, ...model.networks.unet.latentShape];
  const noise = { shape, data: stream(config.seed, 'samples', 'z').randn(sizeOf(shape)) };
  await recordDrawn(context, step, async () =>
    preview.decoder.run(await preview.sampler.sample(noise, ids, model.ids(''), trainer.networks[0]!.average())),
  );
}

/** The whole model, as diffusers reads it. */
async function writeTeacher({ config, model, trainer }: Parts, folder: string, half: boolean): Promise<string[]> {
  const weights = await averagedWeights(trainer);
  const written = path.join(folder, folderName);
  await writeDiffusersFolder(
    written,
    {
      unet: {
        className: 'UNet2DConditionModel',
        config: model.configs.unet,
        tensors: weightsOf(weights, textParts.unet),
      },
      text_encoder: {
        className: 'CLIPTextModel',
        config: model.configs.textEncoder,
        tensors: weightsOf(weights, textParts.textEncoder),
      },
      vae: { className: 'AutoencoderKL', config: model.configs.vae, tensors: model.vae.weights },
      tokenizer: model.tokenizerFiles,
      scheduler: { className: 'DDIMScheduler', config: model.scheduler },
      dmd: { role: 'teacher', steps: usualSteps, guidance: config.record.guidance },
    },
    { half },
  );
  return [path.join(written, 'model_index.json')];
}
