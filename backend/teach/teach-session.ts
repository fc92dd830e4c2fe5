/** Teaching as a run: its images, and what is recorded of it. */
import path from 'node:path';
import type { ImageDataset } from '../data/dataset.ts';
import { mirrored } from '../data/mirror.ts';
import { edmSampler } from '../diffusion/edm-sampler.ts';
import type { Denoise } from '../diffusion/sampler.ts';
import { type Model, openModel } from '../models/model-file.ts';
import { openTrainingImages, requireSeveral, sourceName, trainingImageInputs } from '../models/training-images.ts';
import { writeModel } from '../models/write-model.ts';
import { createNetwork, type Network } from '../nets/index.ts';
import type { TeachConfig } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { stream } from '../random/stream.ts';
import { DenoiseProgram } from '../sampling/denoise-program.ts';
import { averagedWeights } from '../training/loss-procedure.ts';
import { previewInputs } from '../training/preview-inputs.ts';
import { emasOf, updateSettingsOf } from '../training/schedule.ts';
import { isDue, type SessionContext, type SessionPlan, type TrainingSession } from '../training/session.ts';
import type { Trainer } from '../training/trainer.ts';
import { LossSession, recordDrawn } from './loss-session.ts';
import { createTeachTrainer, type TeachOptions } from './teach.ts';

/** Opens and checks everything the config names. Throws UserError; nothing is written. */
export async function planTeach(config: TeachConfig): Promise<SessionPlan> {
  const network = createNetwork(config.network, { recompute: config.recompute });
  const initial = await openInitial(config, network);
  const data = await openTrainingImages(config.data, network.imageShape, config.data.useLabels);
  try {
    checkFit(config, network, data);
  } catch (error) {
    await data.close();
    throw error;
  }
  return {
    fieldBytes: 0,
    inputs: async (work) => ({
      ...(initial ? { initial: { path: initial.path, sha256: initial.sha256 } } : {}),
      ...(await trainingImageInputs(config.data, data, work)),
    }),
    dispose: () => data.close(),
    start: (context) => startTeach(config, { network, data, initial: initial?.weights ?? null }, context),
  };
}

/** The model to begin with. Throws UserError('config') when its network is another. */
async function openInitial({ initial, network: described }: TeachConfig, network: Network): Promise<Model | undefined> {
  if (initial === undefined) return undefined;
  const model = await openModel(initial, { network: described });
  const parameters = ({ layout }: Network) => JSON.stringify(layout.entries.map(({ name, shape }) => [name, shape]));
  if (parameters(model.network) === parameters(network)) return model;
  throw new UserError(
    'config',
    `initial: the network of ${model.path} is not the one that 'network' describes`,
    'Take the network from the config of the run that made it.',
  );
}

/** Throws UserError('config') that names the key when network and images do not go together. */
function checkFit(
  { data, network: { img_channels, img_resolution, label_dim } }: TeachConfig,
  network: Network,
  images: ImageDataset,
) {
  const source = sourceName(data);
  if (images.shape.join() !== network.imageShape.join()) {
    const [channels, height, width] = images.shape;
    throw new UserError(
      'config',
      `network.img_resolution ${img_resolution} with img_channels ${img_channels} does not fit ${source}: its images are ${width} x ${height} with ${channels} channels`,
      'Change the network, or set data.fit to pad or resize.',
    );
  }
  requireSeveral(data, images);
  if (images.labelDim === network.labelDim) return;
  const [none, otherwise] = data.useLabels
    ? ['has no labels', ', or label the images: dmd data pack takes their classes from folders']
    : ['is used without classes', ''];
  const found = images.labelDim > 0 ? `has ${images.labelDim} classes` : none;
  throw new UserError(
    'config',
    `network.label_dim is ${label_dim ?? 0}, but ${source} ${found}`,
    `Set network.label_dim to ${images.labelDim}${images.labelDim > 0 ? ', or data.useLabels to false with label_dim 0' : otherwise}.`,
  );
}

async function startTeach(
  config: TeachConfig,
  { network, data, initial }: Pick<Parts, 'network' | 'data'> & Pick<TeachOptions, 'initial'>,
  context: SessionContext,
): Promise<TrainingSession> {
  const { engine, report, ranks } = context;
  const { seed, batch, accumulation, loss, record } = config;
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const trainer = await createTeachTrainer(engine, {
    network,
    seed,
    batch,
    accumulation,
    ranks,
    meanLogSigma: loss.P_mean,
    stdLogSigma: loss.P_std,
    sigmaData: loss.sigma_data,
    initial,
    settings: updateSettingsOf(config),
    emas: emasOf(config.ema),
    keepsGradients: (step) => isDue(record.histogramsEvery, step, config.iterations),
    images: (step, micro, count) => trainingImages(config, data, step, micro, count),
  });
  const preview =
    record.samplesEvery > 0
      ? await DenoiseProgram.create(engine, { network, batch: record.samples, weights: null })
      : null;
  const parts = { config, network, data, trainer, preview, context };
  return new LossSession({
    ...{ config, trainer, context },
    recordSamples: (step) => recordSamples(parts, step),
    writeWeights: (folder, half) => writeTeacher(parts, folder, half),
    async dispose() {
      await preview?.dispose();
      await data.close();
    },
  });
}

/** Drawn with replacement, a pure function of seed, step and micro-batch. Mirrored ones follow the data set's own. */
async function trainingImages(
  { seed, data: { mirror } }: TeachConfig,
  data: ImageDataset,
  step: number,
  micro: number,
  count: number,
) {
  const total = mirror ? 2 * data.count : data.count;
  const indices = [...stream(seed, 'teach', 'data', step, micro).randint(0, total, count)];
  const { images, labels } = await data.batch(indices.map((index) => index % data.count));
  const flip = indices.map((index) => index >= data.count);
  return { images: mirror ? mirrored(images, flip) : images, labels };
}

interface Parts {
  readonly config: TeachConfig;
  readonly network: Network;
  readonly data: ImageDataset;
  readonly trainer: Trainer;
  readonly preview: DenoiseProgram | null;
  readonly context: SessionContext;
}

/** Heun samples of the averaged network from fixed noise. */
async function recordSamples({ config, network, trainer, preview, context }: Parts, step: number): Promise<void> {
  if (!preview) return;
  const { z, labels } = previewInputs(network, config.record.samples, config.seed);
  const average = trainer.networks[0]!.average();
  const denoise: Denoise = (x, sigma) => preview.denoise(x, sigma, labels, average);
  const steps = { num_steps: config.record.sampleSteps };
  await recordDrawn(context, step, async () => {
    const images = await edmSampler(denoise, z.data, steps, {}, network);
    return { shape: z.shape, data: Float32Array.from(images) };
  });
}

async function writeTeacher({ network, trainer }: Parts, folder: string, half: boolean): Promise<string[]> {
  const file = path.join(folder, 'teacher.safetensors');
  const metadata = { 'dmd.role': 'teacher', 'dmd.step': String(trainer.step) };
  await writeModel(file, network.config, await averagedWeights(trainer), metadata, half);
  return [file];
}
