/** Teaching an autoencoder as a run: captioned scenes, what is recorded of it, and the folder `vae` that it becomes. */
import path from 'node:path';
import { captionedSize } from '../data/captioned/scene.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { Inputs } from '../models/input-file.ts';
import { type Autoencoder, createAutoencoderKL } from '../nets/stable-diffusion/autoencoder-kl.ts';
import type { TeachAutoencoderConfig } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { LatentProgram, Spread } from '../sampling/latent-programs.ts';
import { averagedWeights } from '../training/loss-procedure.ts';
import { emasOf, updateSettingsOf } from '../training/schedule.ts';
import { isDue, type SessionContext, type SessionPlan, type TrainingSession } from '../training/session.ts';
import type { Trainer } from '../training/trainer.ts';
import { writeComponent } from '../weights/diffusers/index.ts';
import { autoencoderFolder } from './autoencoder-folder.ts';
import { heldOutBatch, trainingBatch, trainingIndices } from './captioned-images.ts';
import { autoencoderConfig } from './component-configs.ts';
import { openInitialComponent } from './initial-component.ts';
import { LossSession } from './loss-session.ts';
import { createAutoencoderTrainer } from './teach-autoencoder.ts';

/** Images per call when the latents are measured. */
const measuredAtOnce = 32;

/** Opens and checks everything the config names. Throws UserError; nothing is written. */
export async function planTeachAutoencoder(config: TeachAutoencoderConfig): Promise<SessionPlan> {
  const network = createAutoencoderKL(autoencoderConfig(config.network, captionedSize));
  refuseCrops(config.crops.size, network.downFactor);
  const initial =
    config.initial === undefined ? null : await openInitialComponent(autoencoderFolder(config.initial), network.layout);
  return {
    fieldBytes: 0,
    inputs: async (): Promise<Inputs> => (initial ? { initial: initial.input } : {}),
    start: (context) => start(config, network, initial?.weights ?? null, context),
  };
}

function refuseCrops(size: number, factor: number): void {
  if (size % factor === 0 && size <= captionedSize) return;
  throw new UserError(
    'config',
    `crops.size is ${size}, but it must be a multiple of ${factor}, at most ${captionedSize}`,
    `The network makes images smaller by ${factor}.`,
  );
}

async function start(
  config: TeachAutoencoderConfig,
  network: Autoencoder,
  initial: ReadonlyMap<string, TensorData> | null,
  context: SessionContext,
): Promise<TrainingSession> {
  const { engine, report, ranks } = context;
  const { seed, batch, accumulation, loss, trains, crops, record, iterations } = config;
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const trainer = await createAutoencoderTrainer(engine, {
    ...{ network, size: captionedSize, seed, batch, accumulation, ranks, loss, trains, initial },
    crops: crops.iterations > 0 ? { size: crops.size, batch: crops.batch, steps: crops.iterations } : null,
    settings: updateSettingsOf(config),
    emas: emasOf(config.ema),
    keepsGradients: (step) => isDue(record.histogramsEvery, step, iterations),
    images: async (step, micro, count) => trainingBatch(config, trainingIndices(config, step, micro, count)).images,
  });
  const preview = record.samplesEvery > 0 ? await compile('reconstruct', record.samples) : null;
  const parts = { config, trainer, preview, compile, context };
  return new LossSession({
    ...{ config, trainer, context },
    recordSamples: (step) => recordSamples(parts, step),
    writeWeights: (folder, half) => writeAutoencoder(parts, folder, half),
    dispose: async () => preview?.dispose(),
  });

  function compile(what: 'encode' | 'reconstruct', count: number): Promise<LatentProgram> {
    return LatentProgram.create(engine, what, { network, size: captionedSize, batch: count, weights: null, scale: 1 });
  }
}

interface Parts {
  readonly config: TeachAutoencoderConfig;
  readonly trainer: Trainer;
  readonly preview: LatentProgram | null;
  readonly compile: (what: 'encode', count: number) => Promise<LatentProgram>;
  readonly context: SessionContext;
}

/** Held-out images, each followed by what comes back of it from the averaged network. */
async function recordSamples({ config, trainer, preview, context }: Parts, step: number): Promise<void> {
  if (!preview) return;
  const { images } = heldOutBatch(config, config.record.samples);
  const back = await preview.run(images, trainer.networks[0]!.average());
  context.recorder.samples(step, sideBySide(images, back));
  context.recorder.add(step, { scalars: { 'quality/peak signal to noise dB': peakSignalToNoise(images, back) } });
}

/** `vae/` as diffusers reads it, with the scale that makes the latents' standard deviation 1. */
async function writeAutoencoder(parts: Parts, folder: string, half: boolean): Promise<string[]> {
  const scale = 1 / (await deviationOfLatents(parts));
  const config = autoencoderConfig(parts.config.network, captionedSize, scale);
  const tensors = await averagedWeights(parts.trainer);
  await writeComponent(folder, 'vae', { className: 'AutoencoderKL', config, tensors }, { half });
  const files = ['config.json', 'diffusion_pytorch_model.safetensors'];
  return files.map((name) => path.join(folder, 'vae', name));
}

async function deviationOfLatents({ config, trainer, compile, context }: Parts): Promise<number> {
  const program = await compile('encode', measuredAtOnce);
  const spread = new Spread();
  const { scaleImages: total } = config;
  for (let done = 0; done < total; done += measuredAtOnce) {
    const indices = Array.from({ length: measuredAtOnce }, (_, i) => (done + i) % Math.min(total, config.data.count));
    const { images } = trainingBatch(config, indices);
    spread.add((await program.run(images, trainer.networks[0]!.average())).data);
    context.report({
      type: 'work',
      label: 'latents',
      unit: 'images',
      done: Math.min(total, done + measuredAtOnce),
      total,
    });
  }
  await program.dispose();
  return spread.deviation;
}

/** [N, ...] and [N, ...] -> [2N, ...], in turn. */
export function sideBySide(left: TensorData, right: TensorData): TensorData {
  const [count, ...shape] = left.shape;
  const numbers = left.data.length / count;
  const data = new Float32Array(2 * left.data.length);
  for (let i = 0; i < count; i++) {
    data.set(left.data.subarray(i * numbers, (i + 1) * numbers), 2 * i * numbers);
    data.set(right.data.subarray(i * numbers, (i + 1) * numbers), (2 * i + 1) * numbers);
  }
  return { shape: [2 * count, ...shape], data };
}

/** In decibels, for images in [-1, 1]; those of `back` outside are clipped, as they are when shown. */
export function peakSignalToNoise(images: TensorData, back: TensorData): number {
  let squares = 0;
  images.data.forEach((value, i) => {
    squares += (Math.max(-1, Math.min(1, back.data[i])) - value) ** 2;
  });
  return 10 * Math.log10(4 / Math.max(4e-12, squares / images.data.length));
}
