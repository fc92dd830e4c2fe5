/** A feature network of a person's own labelled data. */
import type { ImageDataset } from '../../data/dataset.ts';
import { openImageDataset } from '../../data/image-dataset.ts';
import { openFeatures, writeFeatures } from '../../evaluate/features-file.ts';
import type { PictureFeatures } from '../../evaluate/picture-features.ts';
import type { FeatureKind } from '../../metrics/feature-network.ts';
import { UserError } from '../../protocol/errors.ts';
import { pictureFeatureBatches } from '../../teach/picture-features.ts';
import { teachFeatures } from '../../teach/teach-features.ts';
import { type FeaturesOptions, type FeaturesWork, learningRate, type Tested } from './options.ts';

type Options = FeaturesOptions & { readonly data: string; readonly name: string };

/** Trains, tests and writes. Throws UserError that names the data at fault. */
export async function dataFeatures(options: Options, work: FeaturesWork): Promise<Tested> {
  const { data: source, size, fit: how } = options;
  if (size % 8 !== 0)
    throw new UserError('usage', `--size ${size} is no multiple of 8`, 'The network halves it three times.');
  const { shape: plain } = await described(source);
  const fit = { how, shape: [plain[0], size, size] as const };
  const data = await openImageDataset(source, { fit });
  const classes = data.labelDim;
  const test = options.test === undefined ? null : await openImageDataset(options.test, { fit, labelDim: classes });
  try {
    if (classes < 2) throw unlabelled(source, classes);
    return await trained(options, { data, test, kind: { shape: fit.shape, classes, attributes: 0 } }, work);
  } finally {
    await data.close();
    await test?.close();
  }
}

interface Parts {
  readonly data: ImageDataset;
  readonly test: ImageDataset | null;
  readonly kind: FeatureKind;
}

async function trained(options: Options, { data, test, kind }: Parts, work: FeaturesWork): Promise<Tested> {
  const { out, name, fit, seed, iterations, batch, mirror = false } = options;
  const all = [...Array(data.count).keys()];
  const held = test ? [...Array(test.count).keys()] : all.filter((index) => index % 10 === 9);
  const indices = test ? all : all.filter((index) => index % 10 !== 9);
  if (held.length === 0) {
    throw new UserError(
      'data',
      `${options.data} has only ${data.count} pictures`,
      'Ten are the least; give more, or --test.',
    );
  }
  const training = { data: options.data, seed, iterations, batch, learningRate, mirror };
  const draw = pictureFeatureBatches(data, { seed, batch, mirror, indices });
  const { engine, signal, onStep } = work;
  const weights = await teachFeatures(engine, { ...training, kind, draw, signal }, onStep);
  const about = { name, shape: [...kind.shape] as [number, number, number], classes: kind.classes, fit };
  const network = await openFeatures(engine, { about: { ...about, right: 0, of: 0 }, weights });
  const right = await countRight(network, test ?? data, held);
  await network.dispose();
  await writeFeatures(out, { about: { ...about, right, of: held.length }, weights }, training);
  return { right, of: held.length };
}

const chunk = 500;

async function countRight(network: PictureFeatures, data: ImageDataset, indices: readonly number[]): Promise<number> {
  let right = 0;
  for (let start = 0; start < indices.length; start += chunk) {
    const { images, labels } = await data.batch(indices.slice(start, start + chunk));
    const found = await network.classes(images);
    right += found.filter((id, i) => labels.data[i * data.labelDim + id] === 1).length;
  }
  return right;
}

async function described(source: string): Promise<Pick<ImageDataset, 'shape'>> {
  const data = await openImageDataset(source, { labelled: false });
  await data.close();
  return data;
}

function unlabelled(source: string, classes: number): UserError {
  const found = classes === 1 ? 'has a single class' : 'has no labels';
  return new UserError(
    'data',
    `${source} ${found}: there is nothing to tell apart`,
    'dmd data pack labels pictures by their folders.',
  );
}
