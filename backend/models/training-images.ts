/** The images that a config's `data` names, of whatever kind of run. */
import type { ImageDataset } from '../data/dataset.ts';
import type { Fit } from '../data/fit.ts';
import { fittedDataset } from '../data/fitted-dataset.ts';
import { openImageDataset } from '../data/image-dataset.ts';
import { sceneDataset } from '../data/scenes/scene-dataset.ts';
import { UserError } from '../protocol/errors.ts';
import { fileInput, folderInput, type Inputs, type InputWork } from './input-file.ts';

export interface ImageSource {
  /** `scenes`, or a path. */
  readonly source: string;
  readonly fit: Fit | 'none';
  readonly seed: number;
  /** 0: all there are. */
  readonly count: number;
}

const allScenes = 1_000_000;

/** @param shape [C, H, W] that they are made to fit, where that is asked for. Throws UserError that names what is wrong */
export async function openTrainingImages(
  { source, seed, count, fit: how }: ImageSource,
  shape: readonly [number, number, number],
  labelled: boolean,
): Promise<ImageDataset> {
  if (source === 'scenes') {
    const scenes = sceneDataset({ seed, count: count || allScenes, size: shape[1], labelled });
    return how === 'none' ? scenes : fittedDataset(scenes, shape, how);
  }
  const fit = how === 'none' ? {} : { fit: { how, shape } };
  return openImageDataset(source, { labelled, ...(count > 0 ? { count } : {}), ...fit });
}

/** What they are, as an input of the run. */
export async function trainingImageInputs(
  { source }: ImageSource,
  { names, labelsFile }: ImageDataset,
  work: InputWork,
): Promise<Inputs> {
  if (source === 'scenes') return {};
  const inputs: Inputs = { 'data.source': await folderInput('data.source', source, names, work) };
  if (labelsFile === undefined) return inputs;
  const key = 'data.source (labels)';
  return { ...inputs, [key]: await fileInput(key, labelsFile, work) };
}

/** For people. */
export const sourceName = ({ source }: ImageSource) => (source === 'scenes' ? 'the scenes data set' : source);

/** Throws UserError('data') where there is one picture, and nobody asked for one. */
export function requireSeveral(data: ImageSource, images: ImageDataset): void {
  if (images.count !== 1 || data.count === 1) return;
  const hint = 'Give more of them; to train on one all the same, set data.count to 1.';
  throw new UserError('data', `${sourceName(data)} is a single picture: there is nothing to generate but itself`, hint);
}
