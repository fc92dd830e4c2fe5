/** An ONNX file written by `dmd export`, as a denoiser: what it lacks for sampling, its metadata says. */

import { hashOf } from '../data/pair-shard.ts';
import { type OnnxFile, openOnnxFile } from '../engine/onnxruntime/run-file.ts';
import type { DeviceName } from '../engine/open.ts';
import { isOpenVino } from '../engine/openvino/targets.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type ModelRole, rolesOf } from '../models/model-file.ts';
import { createNetwork, type Network } from '../nets/index.ts';
import { UserError } from '../protocol/errors.ts';
import { parseJson } from '../protocol/json.ts';
import { configKey } from '../weights/load.ts';
import { readOnnxMetadata } from '../weights/onnx-metadata.ts';
import type { BatchDenoiser } from './seeded-images.ts';

export interface OnnxDescription {
  readonly network: Network;
  readonly role: ModelRole;
  readonly generatorSigma: number;
  readonly again: readonly number[];
  readonly deterministic: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface OnnxModel extends OnnxDescription {
  /** Images per call, fixed in the file. */
  readonly batch: number;
  readonly program: BatchDenoiser;
  readonly sha256: string;
}

const hint = 'Only ONNX files written by dmd export can be used here.';

/** Reads the metadata alone. Throws UserError('weights') that names a file which was not made here. */
export async function describeOnnx(path: string): Promise<OnnxDescription> {
  const metadata = await readOnnxMetadata(path);
  const config = metadata[configKey];
  if (config === undefined) throw new UserError('weights', `${path} does not say which network it is`, hint);
  return { network: networkOf(config, path), ...rolesOf(metadata, path), metadata };
}

/** @throws UserError('weights') when it is no file of ours, or not what it says; UserError('device') */
export async function openOnnxModel(path: string, device: DeviceName): Promise<OnnxModel> {
  const description = await describeOnnx(path);
  if (device === 'tensorflow' || isOpenVino(device)) {
    throw new UserError('device', `The device ${device} runs no ONNX files.`, 'Choose another device, e.g. cpu.');
  }
  const file = await openOnnxFile(path, device).catch((cause: Error) => {
    throw new UserError('weights', `${path} cannot be run: ${cause.message}`, 'Export it again.', { cause });
  });
  try {
    const batch = batchOf(file, description, path);
    const sha256 = (await hashOf(path)) ?? '';
    return { ...description, batch, program: denoiser(file, description, batch), sha256 };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function networkOf(config: string, path: string): Network {
  try {
    return createNetwork(parseJson(config));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError('weights', `${path}: its metadata '${configKey}' describes no network: ${why}`, hint, {
      cause,
    });
  }
}

/** A one-step generator's file takes unit noise and scales it itself; every other one is a denoiser. */
const takesNoise = ({ role, again }: Pick<OnnxDescription, 'role' | 'again'>) =>
  role === 'generator' && again.length === 0;

/** Images per call. Throws where the inputs are not those that dmd export gives such a network. */
function batchOf({ inputs }: OnnxFile, description: OnnxDescription, path: string): number {
  const { network, role } = description;
  const name = takesNoise(description) ? 'z' : 'x';
  const image = inputs.get(name) ?? [];
  const [batch] = image;
  const expected = new Map<string, readonly number[]>([
    [name, [batch, ...network.imageShape]],
    ...(name === 'x' ? [['sigma', [batch]] as const] : []),
    ...(network.labelDim > 0 ? [['labels', [batch, network.labelDim]] as const] : []),
  ]);
  const listed = (map: OnnxFile['inputs']) => JSON.stringify([...map].sort());
  if (batch > 0 && listed(inputs) === listed(expected)) return batch;
  const names = [...inputs].map(([name, shape]) => `${name} [${shape.join(', ')}]`).join(', ');
  throw new UserError('weights', `${path} takes ${names}, which does not fit the ${role} that it says it is`, hint);
}

function denoiser(file: OnnxFile, description: OnnxDescription, batch: number): BatchDenoiser {
  const { network } = description;
  const shape = [batch, ...network.imageShape];
  return {
    async denoise(x, sigma, labels) {
      const classes: Record<string, TensorData> = network.labelDim > 0 ? { labels } : {};
      const feeds = takesNoise(description)
        ? { z: { shape, data: x.map((value) => value / sigma) }, ...classes }
        : { x: { shape, data: x }, sigma: { shape: [batch], data: new Float32Array(batch).fill(sigma) }, ...classes };
      const [image] = (await file.run(feeds)).values();
      return image.data;
    },
    dispose: () => file.close(),
  };
}
