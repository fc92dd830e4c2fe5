/** Teaching as a run: its images, and what is recorded of it. */
import path from 'node:path';
import type { ImageDataset } from '../../data/dataset.ts';
import { openImageDataset } from '../../data/image-dataset.ts';
import { sceneDataset } from '../../data/scenes/scene-dataset.ts';
import { edmSampler } from '../../diffusion/edm-sampler.ts';
import { DenoiseProgram } from '../../dmd/denoise-program.ts';
import type { LossTrainer } from '../../dmd/loss-trainer.ts';
import { updateSettingsOf } from '../../dmd/schedule.ts';
import { createTeachTrainer, type TeachOptions } from '../../dmd/teach.ts';
import type { Scalars, StepReport } from '../../dmd/trainer.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { createNetwork, type Network } from '../../nets/index.ts';
import type { TeachConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { stream } from '../../random/stream.ts';
import { type Model, openModel } from '../model-file.ts';
import { mirrored } from './mirror.ts';
import { previewInputs } from './preview-inputs.ts';
import { gradientHistograms, isDue, type SessionContext, type SessionPlan, type TrainingSession } from './session.ts';
import { writeModel } from './write-model.ts';

const allScenes = 1_000_000;

/** Opens and checks everything the config names. Throws UserError; nothing is written. */
export async function planTeach(config: TeachConfig): Promise<SessionPlan> {
  const network = createNetwork(config.network);
  const initial = await openInitial(config, network);
  const data = await openData(config, network);
  try {
    checkFit(config, network, data);
  } catch (error) {
    await data.close();
    throw error;
  }
  return {
    fieldBytes: 0,
    inputs: initial ? { initial: { path: initial.path, sha256: initial.sha256 } } : {},
    start: (context) => startTeach(config, { network, data, initial: initial?.weights ?? null }, context),
  };
}

/** The model to begin with. Throws UserError('config') when its network is another. */
async function openInitial({ initial }: TeachConfig, network: Network): Promise<Model | undefined> {
  if (initial === undefined) return undefined;
  const model = await openModel(initial);
  const parameters = ({ layout }: Network) => JSON.stringify(layout.entries.map(({ name, shape }) => [name, shape]));
  if (parameters(model.network) === parameters(network)) return model;
  throw new UserError(
    'config',
    `initial: the network of ${model.path} is not the one that 'network' describes`,
    'Take the network from the config of the run that made it.',
  );
}

function openData({ data }: TeachConfig, network: Network): Promise<ImageDataset> {
  if (data.source === 'scenes') {
    const size = network.imageShape[1];
    const { seed, useLabels: labelled } = data;
    return Promise.resolve(sceneDataset({ seed, count: data.count || allScenes, size, labelled }));
  }
  const { source, useLabels: labelled, count } = data;
  return openImageDataset(source, { labelled, ...(count > 0 ? { count } : {}) });
}

/** Throws UserError('config') that names the key when network and images do not go together. */
function checkFit(
  { data, network: { img_channels, img_resolution, label_dim } }: TeachConfig,
  network: Network,
  images: ImageDataset,
) {
  const source = data.source === 'scenes' ? 'the scenes data set' : data.source;
  if (images.shape.join() !== network.imageShape.join()) {
    const [channels, height, width] = images.shape;
    throw new UserError(
      'config',
      `network.img_resolution ${img_resolution} with img_channels ${img_channels} does not fit ${source}: its images are ${width} x ${height} with ${channels} channels`,
      'Change the network, or convert the images.',
    );
  }
  if (images.labelDim === network.labelDim) return;
  const found = images.labelDim > 0 ? `has ${images.labelDim} classes` : 'is used without classes';
  throw new UserError(
    'config',
    `network.label_dim is ${label_dim ?? 0}, but ${source} ${found}`,
    `Set network.label_dim to ${images.labelDim}${images.labelDim > 0 ? ', or data.useLabels to false with label_dim 0' : ''}.`,
  );
}

async function startTeach(
  config: TeachConfig,
  { network, data, initial }: Pick<Parts, 'network' | 'data'> & Pick<TeachOptions, 'initial'>,
  context: SessionContext,
): Promise<TrainingSession> {
  const { engine, report } = context;
  const { seed, batch, accumulation, loss, record } = config;
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const trainer = await createTeachTrainer(engine, {
    network,
    seed,
    batch,
    accumulation,
    meanLogSigma: loss.P_mean,
    stdLogSigma: loss.P_std,
    sigmaData: loss.sigma_data,
    initial,
    settings: updateSettingsOf(config),
    keepsGradients: (step) => isDue(record.histogramsEvery, step, config.iterations),
    images: (step, micro, count) => trainingImages(config, data, step, micro, count),
  });
  const preview =
    record.samplesEvery > 0
      ? await DenoiseProgram.create(engine, { network, batch: record.samples, weights: null })
      : null;
  return new TeachSession({ config, network, data, trainer, preview, context });
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
  readonly trainer: LossTrainer;
  readonly preview: DenoiseProgram | null;
  readonly context: SessionContext;
}

class TeachSession implements TrainingSession {
  readonly trainer: LossTrainer;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.trainer = parts.trainer;
    this.#parts = parts;
  }

  scalars({ scalars }: StepReport): Scalars {
    return scalars;
  }

  async record(step: number): Promise<void> {
    const { config, context } = this.#parts;
    const { record, iterations } = config;
    if (isDue(record.samplesEvery, step, iterations)) {
      const images = await this.#samples();
      if (images) context.recorder.samples(step, images);
    }
    if (isDue(record.histogramsEvery, step, iterations)) {
      const weights = await this.trainer.parameters.current.read();
      const gradients = gradientHistograms(await this.trainer.gradients.read());
      context.recorder.add(step, { histograms: { 'weights/teacher': weights, ...gradients } });
    }
  }

  /** Heun samples of the averaged network from fixed noise; null when the network is not far enough to give any. */
  async #samples(): Promise<TensorData | null> {
    const { config, network, preview, context } = this.#parts;
    if (!preview) return null;
    const { z, labels } = previewInputs(network, config.record.samples, config.seed);
    const { average } = this.trainer.parameters;
    try {
      const images = await edmSampler(
        (x, sigma) => preview.denoise(x, sigma, labels, average),
        z.data,
        { num_steps: config.record.sampleSteps },
        {},
        network,
      );
      return { shape: z.shape, data: Float32Array.from(images) };
    } catch (error) {
      if (!(error instanceof UserError) || error.kind !== 'numeric') throw error;
      context.report({ type: 'note', level: 'warning', text: `no samples: ${error.message}` });
      return null;
    }
  }

  async writeWeights(folder: string, half: boolean): Promise<string[]> {
    const file = path.join(folder, 'teacher.safetensors');
    const metadata = { 'dmd.role': 'teacher', 'dmd.step': String(this.trainer.step) };
    await writeModel(file, this.#parts.network.config, await this.trainer.averagedWeights(), metadata, half);
    return [file];
  }

  async dispose(): Promise<void> {
    await this.#parts.preview?.dispose();
    await this.trainer.dispose();
    await this.#parts.data.close();
  }
}
