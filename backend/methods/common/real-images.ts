/** Real images to train on beside a teacher, from what the config's `data` names, with what they are of as the teacher takes it. */
import type { ImageDataset } from '../../data/dataset.ts';
import { mirrored } from '../../data/mirror.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { HostTensors } from '../../models/conditions.ts';
import type { DiffusionModel } from '../../models/diffusion-model.ts';
import { openTrainingImages, requireSeveral, sourceName, trainingImageInputs } from '../../models/training-images.ts';
import { UserError } from '../../protocol/errors.ts';
import { captionedImages } from './captioned-images.ts';
import { mixturePoints } from './mixture-points.ts';
import { drawnImages, type RealConfig, type RealImages, type RealSource } from './real-source.ts';
import type { DistillTeacher } from './teacher.ts';

/**
 * Opens them and holds them against the teacher. Throws UserError that names the key.
 * @param orElse what a person can do without them, as the end of a sentence: ', or ...'
 */
export function openRealImages(
  config: RealConfig,
  teacher: Pick<DistillTeacher, 'model' | 'encoder' | 'plane'>,
  orElse = '',
): Promise<RealSource> {
  if (teacher.plane) return Promise.resolve(mixturePoints(config, teacher.plane.mixture));
  return teacher.encoder
    ? captionedImages(config, teacher.encoder, orElse)
    : labelledImages(config, teacher.model, orElse);
}

async function labelledImages(config: RealConfig, model: DiffusionModel, orElse: string): Promise<RealSource> {
  const set = await openSet(config, model);
  try {
    requireFit(config, model, set, orElse);
  } catch (error) {
    await set.close();
    throw error;
  }
  const { mirror } = config.data;
  const none = config.labels === 'none';
  const images: RealImages = {
    async batch(at, count, use) {
      const { indices, flip } = drawnImages(config, set.count, at, count, use);
      const { images, labels } = await set.batch(indices);
      const conditions = conditionsOf(model, none ? null : labels, count);
      return { x: mirror ? mirrored(images, flip) : images, conditions };
    },
    dispose: () => set.close(),
  };
  return {
    inputs: (work) => trainingImageInputs(config.data, set, work),
    open: async () => images,
    close: () => set.close(),
  };
}

const classesOf = ({ conditions }: DiffusionModel) => conditions.labels?.[0] ?? 0;

function conditionsOf(model: DiffusionModel, labels: TensorData | null, count: number): HostTensors {
  const classes = classesOf(model);
  if (classes === 0) return {};
  return { labels: labels ?? { shape: [count, classes], data: new Float32Array(count * classes) } };
}

function openSet({ data, labels }: RealConfig, model: DiffusionModel): Promise<ImageDataset> {
  const [channels, height = 1, width = 1] = model.shape as [number, number, number];
  return openTrainingImages(data, [channels, height, width], classesOf(model) > 0 && labels !== 'none');
}

function requireFit({ data, labels }: RealConfig, model: DiffusionModel, set: ImageDataset, orElse: string): void {
  const source = sourceName(data);
  if (set.shape.join() !== model.shape.join()) {
    const [channels, height, width] = set.shape;
    const [own, rows, columns] = model.shape;
    const found = `its images are ${width} x ${height} with ${channels} channels`;
    throw new UserError(
      'config',
      `data.source: ${source} does not fit the teacher: ${found}, the teacher's are ${columns} x ${rows} with ${own}`,
      `Name the images that the teacher was trained on, or set data.fit${orElse}.`,
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
