/**
 * Feature networks as files: weights by name, and in the metadata what pictures the network takes, its classes and how right it
 * was on pictures it had not seen. `dmd features` writes them.
 */
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import { packageRoot } from '../files/package.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { featureLayout } from '../metrics/feature-network.ts';
import { UserError } from '../protocol/errors.ts';
import { loadWeights } from '../weights/load.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import { selectTensors } from '../weights/select.ts';
import { PictureFeatures } from './picture-features.ts';

const key = 'dmd.features';

const side = z.int().min(8).max(256).multipleOf(8);

const schema = z.object({
  /** What the distance is named after. */
  name: z.string().min(1).max(60),
  shape: z.tuple([z.int().min(1).max(3), side, side]),
  classes: z.int().min(2).max(10_000),
  /** How pictures of another shape become those of the network. */
  fit: z.enum(['pad', 'resize']),
  /** Pictures of the test whose class it named, and how many there were. */
  right: z.int().nonnegative(),
  of: z.int().nonnegative(),
});

export type FeaturesAbout = z.infer<typeof schema>;

export interface FeaturesFile {
  readonly about: FeaturesAbout;
  readonly weights: ReadonlyMap<string, TensorData>;
}

/** Half precision: the distance is one of statistics over hundreds of pictures. Throws UserError('io'). */
export async function writeFeatures(file: string, { about, weights }: FeaturesFile, training: object): Promise<void> {
  const texts = { [key]: JSON.stringify(about), 'dmd.training': JSON.stringify(training) };
  await writeSafetensors(file, weights, { metadata: { 'dmd.role': 'picture-features', ...texts }, dtype: 'F16' });
}

/** The built-in networks by name, and where they lie under media/. */
export const builtInFeatures: Readonly<Record<string, string>> = {
  'fashion-mnist': 'fashion-mnist/features.safetensors',
};

/** @param name a built-in one, or a file. Throws UserError that names the file. */
export async function readFeatures(name: string): Promise<FeaturesFile> {
  const builtIn = Object.hasOwn(builtInFeatures, name) ? builtInFeatures[name] : undefined;
  const file = builtIn === undefined ? name : join(packageRoot(), 'media', builtIn);
  const { tensors, metadata, dtypes } = await loadWeights(file);
  const about = schema.safeParse(parsed(metadata[key]));
  if (!about.success) {
    const names = ['scenes', ...Object.keys(builtInFeatures)].join(', ');
    const hint = `dmd features makes such a file; those that come with the package are ${names}.`;
    throw new UserError('weights', `${file} is not a feature network: it does not say what pictures it takes`, hint);
  }
  const expected = new Map(featureLayout(kindOf(about.data)).entries.map(({ name, shape }) => [name, shape]));
  return { about: about.data, weights: selectTensors(tensors, expected, basename(file), { dtypes }) };
}

/** On a device. */
export function openFeatures(engine: Engine, { about, weights }: FeaturesFile): Promise<PictureFeatures> {
  return PictureFeatures.create(engine, weights, kindOf(about));
}

const kindOf = ({ shape, classes }: FeaturesAbout) => ({ shape, classes, attributes: 0 });

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
