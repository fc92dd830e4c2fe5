/** Opens the features that distances are taken in: the built-in ones, or InceptionV3 where a person has its weights. */
import { basename, join } from 'node:path';
import { hashOf } from '../data/pair-shard.ts';
import type { Engine } from '../engine/engine.ts';
import { packageRoot } from '../files/package.ts';
import type { InceptionKind } from '../metrics/inception/preprocess.ts';
import { inceptionFileTensors, inceptionWeights } from '../metrics/inception/weights.ts';
import { loadWeights } from '../weights/load.ts';
import { refuseWholeNumbers } from '../weights/select.ts';
import { type FeatureSpace, InceptionSpace, pictureSpace, sceneSpace } from './feature-space.ts';
import { openFeatures, readFeatures } from './features-file.ts';
import { PictureFeatures } from './picture-features.ts';

/** How the SHA-256 of the published file begins, which its name says too: pt_inception-2015-12-05-6726825d.pth. */
const published = '6726825d';

export async function openSceneSpace(engine: Engine): Promise<FeatureSpace> {
  const { tensors } = await loadWeights(join(packageRoot(), 'media', 'scenes', 'features.safetensors'));
  return sceneSpace(await PictureFeatures.create(engine, tensors));
}

/** The features of a data set: 'scenes', another built-in network's name, or a file of `dmd features`. */
export async function openNamedSpace(engine: Engine, name: string): Promise<FeatureSpace> {
  if (name === 'scenes') return openSceneSpace(engine);
  const file = await readFeatures(name);
  return pictureSpace(await openFeatures(engine, file), file.about);
}

/**
 * InceptionV3 with the weights of `path`. A distance is called FID only where the file is the published one: with any
 * other weights it is some other number. Throws UserError('weights') that names the file.
 */
export async function openInceptionSpace(engine: Engine, path: string, kind: InceptionKind): Promise<FeatureSpace> {
  const { tensors, dtypes } = await loadWeights(path);
  const weights = inceptionWeights(tensors, path);
  const names = inceptionFileTensors.map(({ name }) => name);
  refuseWholeNumbers(names, (name) => dtypes.get(name), path);
  const known = (await hashOf(path))?.startsWith(published) ?? false;
  const distance = known ? 'FID' : `FD, InceptionV3 of ${basename(path)}, which is not the published file`;
  return InceptionSpace.create(engine, { weights, kind, distance });
}
