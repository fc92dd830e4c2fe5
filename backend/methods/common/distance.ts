/** The distance of a loss between samples, with the weights files that it needs: of samples, or of the pictures they decode to. */
import { hashOf } from '../../data/pair-shard.ts';
import type { Tensor } from '../../graph/graph.ts';
import { mean, square, sub } from '../../graph/ops/index.ts';
import { constantParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { InputFile } from '../../models/input-file.ts';
import { lpips, lpipsWeights } from '../../nets/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { loadWeights } from '../../weights/load.ts';
import { refuseWholeNumbers } from '../../weights/select.ts';

/** Distance of two batches of samples as a scalar; averaged over the batch. */
export type Distance = (a: Tensor, b: Tensor) => Tensor;

/** Mean squared difference over everything. */
export const l2Distance: Distance = (a, b) => mean(square(sub(a, b)));

/** Side in pixels at which LPIPS compares (the paper, Section 4). */
const lpipsSide = 224;

export interface OpenDistance {
  readonly distance: Distance;
  /** The files it rests on, by config key. */
  readonly inputs: Readonly<Record<string, InputFile>>;
}

/** What of a config says how samples are compared. */
export interface DistanceKeys {
  readonly distance: 'l2' | 'lpips';
  readonly lpipsWeights?: string | undefined;
  readonly vggWeights?: string | undefined;
}

/** The samples that are compared, and whose they are. */
interface Compared {
  readonly imageShape: readonly number[];
  readonly path: string;
}

/** Of the regression loss. Throws UserError that names the key, file or tensor. Switched off it opens no file. */
export async function openDistance({ regression }: DistillConfig, compared: Compared): Promise<OpenDistance> {
  if (!regression.enabled) return { distance: l2Distance, inputs: {} };
  return distanceOf(regression, compared, 'regression');
}

/** @param section of the config that the keys are of. Throws UserError that names the key, file or tensor */
export async function distanceOf(
  { distance, lpipsWeights: lpipsFile, vggWeights: vggFile }: DistanceKeys,
  { imageShape, path }: Compared,
  section: string,
): Promise<OpenDistance> {
  if (distance === 'l2' || lpipsFile === undefined) return { distance: l2Distance, inputs: {} };
  if (imageShape.length !== 3 || imageShape[0] !== 3) {
    const shape = `[${imageShape.join(', ')}]`;
    const message = `${section}.distance: lpips compares pictures of three channels, but ${path} makes ${shape}`;
    throw new UserError('config', message, 'Choose l2.');
  }
  const files = { ...(vggFile === undefined ? {} : { vggWeights: vggFile }), lpipsWeights: lpipsFile };
  const tensors = new Map<string, TensorData>();
  const inputs: Record<string, InputFile> = {};
  for (const [key, file] of Object.entries(files)) {
    const loaded = await loadWeights(file);
    for (const [name, tensor] of loaded.tensors) tensors.set(name, tensor);
    const names = [...loaded.tensors.keys()].filter((name) => /\.(weight|bias)$/.test(name));
    refuseWholeNumbers(names, (name) => loaded.dtypes.get(name), file);
    inputs[`${section}.${key}`] = { path: file, sha256: (await hashOf(file)) ?? '' };
  }
  const weights = lpipsWeights(tensors, Object.values(files).join(' and '));
  return {
    distance: (a, b) => mean(lpips(constantParameters(a.graph, weights), a, b, { resize: lpipsSide })),
    inputs,
  };
}

/** Which key of the section what is said of opening a distance is about. */
export function distanceKeyOf(
  { lpipsWeights, vggWeights }: DistanceKeys,
  section: string,
): (message: string) => string {
  return (message) => {
    if (vggWeights && message.includes(vggWeights)) return `${section}.vggWeights`;
    return lpipsWeights && message.includes(lpipsWeights) ? `${section}.lpipsWeights` : `${section}.distance`;
  };
}
