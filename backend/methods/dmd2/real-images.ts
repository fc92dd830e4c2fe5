/** Real images for the discriminator, from what the config's `data` names, with what they are of as the teacher takes it. */
import type { ImageDataset } from '../../data/dataset.ts';
import { mirrored } from '../../data/mirror.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { HostTensors } from '../../models/conditions.ts';
import type { DiffusionModel } from '../../models/diffusion-model.ts';
import type { Inputs, InputWork } from '../../models/input-file.ts';
import { openTrainingImages, requireSeveral, sourceName, trainingImageInputs } from '../../models/training-images.ts';
import { UserError } from '../../protocol/errors.ts';
import { stream } from '../../random/stream.ts';
import type { DrawPoint } from '../../training/draws.ts';
import type { Dmd2Config } from './as-dmd.ts';

export interface RealBatch {
  /** [B, ...] as the generator's samples. */
  readonly x: TensorData;
  /** By the names of the model's conditions. */
  readonly conditions: HostTensors;
}

export interface RealImages {
  /** A pure function of the point, and of what they are for: to be told apart, or to be given to the generator with noise. */
  batch(at: DrawPoint, count: number, use: 'told' | 'given'): Promise<RealBatch>;
  inputs(work: InputWork): Promise<Inputs>;
  close(): Promise<void>;
}

/** Opens them and holds them against the teacher. Throws UserError that names the key. */
export async function openRealImages(config: Dmd2Config, model: DiffusionModel): Promise<RealImages> {
  if (model.conditions.context) {
    const message = 'gan.enabled: real images for a text-to-image teacher are not read yet';
    throw new UserError('config', message, 'Set gan.enabled to false.');
  }
  const set = await openSet(config, model);
  try {
    requireFit(config, model, set);
  } catch (error) {
    await set.close();
    throw error;
  }
  const { seed, labels: choice } = config;
  const { mirror } = config.data;
  return {
    async batch({ step, micro, update }, count, use) {
      const total = mirror ? 2 * set.count : set.count;
      const indices = [...stream(seed, 'distill', 'real', use, step, micro, update).randint(0, total, count)];
      const { images, labels } = await set.batch(indices.map((index) => index % set.count));
      const flip = indices.map((index) => index >= set.count);
      return {
        x: mirror ? mirrored(images, flip) : images,
        conditions: conditionsOf(model, choice === 'none' ? null : labels, count),
      };
    },
    inputs: (work) => trainingImageInputs(config.data, set, work),
    close: () => set.close(),
  };
}

const classesOf = ({ conditions }: DiffusionModel) => conditions.labels?.[0] ?? 0;

function conditionsOf(model: DiffusionModel, labels: TensorData | null, count: number): HostTensors {
  const classes = classesOf(model);
  if (classes === 0) return {};
  return { labels: labels ?? { shape: [count, classes], data: new Float32Array(count * classes) } };
}

function openSet({ data, labels }: Dmd2Config, model: DiffusionModel): Promise<ImageDataset> {
  const [channels, height = 1, width = 1] = model.shape as [number, number, number];
  return openTrainingImages(data, [channels, height, width], classesOf(model) > 0 && labels !== 'none');
}

function requireFit({ data, labels }: Dmd2Config, model: DiffusionModel, set: ImageDataset): void {
  const source = sourceName(data);
  if (set.shape.join() !== model.shape.join()) {
    const [channels, height, width] = set.shape;
    const [own, rows, columns] = model.shape;
    const found = `its images are ${width} x ${height} with ${channels} channels`;
    throw new UserError(
      'config',
      `data.source: ${source} does not fit the teacher: ${found}, the teacher's are ${columns} x ${rows} with ${own}`,
      'Name the images that the teacher was trained on, set data.fit, or switch gan.enabled off.',
    );
  }
  requireSeveral(data, set);
  const classes = classesOf(model);
  if (classes === 0 || labels === 'none' || set.labelDim === classes) return;
  const found = set.labelDim > 0 ? `has ${set.labelDim} classes` : 'has no labels';
  throw new UserError(
    'config',
    `data.source: ${source} ${found}, but the teacher has ${classes} classes`,
    'Add "labels": [["file name", class id], ...] to its dataset.json, or set labels to "none".',
  );
}
