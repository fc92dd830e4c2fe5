/**
 * Models by name: a file written by this program, an EDM snapshot, or one that comes with the package
 * (`builtin:scenes`, the one-step generator, and `builtin:scenes/teacher`).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf } from '../data/pair-shard.ts';
import { packageRoot } from '../files/package.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { createNetwork, type Network, type NetworkOptions } from '../nets/index.ts';
import { UserError } from '../protocol/errors.ts';
import { parseJson } from '../protocol/json.ts';
import { isDiffusersFolder } from '../weights/diffusers/index.ts';
import { fittingSet, underNetworkNames } from '../weights/fitting.ts';
import { type LoadedWeights, loadWeights } from '../weights/load.ts';
import { namingFile } from '../weights/refusal.ts';
import { selectTensors } from '../weights/select.ts';
import { chooseSet } from '../weights/weight-sets.ts';
import { consistentNetwork } from './consistency.ts';

export type ModelRole = 'teacher' | 'generator';

export interface Model {
  readonly network: Network;
  readonly weights: ReadonlyMap<string, TensorData>;
  /** A teacher is sampled in many steps, a generator in one, or in few of its own. Files that do not say are teachers. */
  readonly role: ModelRole;
  /** Noise level a generator is called at, and from which a teacher is sampled; 80 unless the file says otherwise. */
  readonly generatorSigma: number;
  /** Noise levels, descending, at which a few-step generator is called again on its own image with noise; [] for one step. */
  readonly again: readonly number[];
  /** Whether it is then given the noise that it found in place of new noise. */
  readonly deterministic: boolean;
  /** Of a consistency model: the noise level at which it returns what it is given. `network` keeps to it; null for others. */
  readonly boundary: number | null;
  readonly path: string;
  /** Of the file, hex. */
  readonly sha256: string;
  /** Free text by key that the file carries, e.g. `dmd.step`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The keys of the file that led to the weights, with dots between; '' where they are all that it holds. */
  readonly key: string;
  /** Those of other weights of this network in the file. */
  readonly others: readonly string[];
}

/** What comes with the package, as `builtin:` names and files in media/. */
export const builtinModels: Readonly<Record<string, string>> = {
  scenes: 'scenes/generator.safetensors',
  'scenes/teacher': 'scenes/teacher.safetensors',
  'scenes/generator': 'scenes/generator.safetensors',
};

/** The same for text-to-image models: folders, known where the package has them. */
export const builtinTextModels: Readonly<Record<string, string>> = {
  'scenes-text': 'scenes-text/student',
  'scenes-text/teacher': 'scenes-text/teacher',
  'scenes-text/generator': 'scenes-text/student',
};

export interface OpenOptions extends NetworkOptions {
  /** Which network the weights belong to, for a bare state dict, under EDM's argument names. */
  readonly network?: object | undefined;
  /** The keys that lead to the weights, where a file holds several sets of them. */
  readonly key?: string | undefined;
}

/**
 * @param name a path or a `builtin:` name
 * @throws UserError('weights') that names the file and, where it is one, the tensor
 */
export async function openModel(
  name: string,
  { network: described, key, recompute }: OpenOptions = {},
): Promise<Model> {
  const path = modelPath(name);
  const bare = described && createNetwork(described, { recompute });
  const loaded = await loadWeights(path, bare ? fittingSet(expectedOf(bare), key) : (sets) => chooseSet(sets, key));
  const network = loaded.config ? createNetwork(loaded.config, { recompute, tensors: loaded.tensors.size }) : bare;
  if (!network) {
    const hint =
      'Give an EDM network-snapshot .pkl, or a file written by dmd teach or dmd distill; of a bare state dict, a config ' +
      "says its 'network'.";
    throw new UserError('weights', `${path} does not say which network its weights belong to`, hint);
  }
  const expected = expectedOf(network);
  const named = namingFile(path, () => underNetworkNames(typed(loaded), expected, loaded.path, key, loaded.others));
  const selected = selectTensors(named.tensors, expected, path);
  const weights = new Map(Array.from(selected, ([tensor, { shape, data }]) => [tensor, { shape, data }]));
  refuseBadNumbers(weights, path);
  const { metadata } = loaded;
  const sha256 = (await hashOf(path)) ?? '';
  const { key: taken, others } = named;
  const roles = rolesOf(metadata, path);
  const called = roles.boundary === null ? network : consistentNetwork(network, roles.boundary);
  return { network: called, weights, ...roles, path, sha256, metadata, key: taken, others };
}

function expectedOf({ layout }: Network): Map<string, readonly number[]> {
  return new Map(layout.entries.map(({ name, shape }) => [name, shape]));
}

function typed({ tensors, dtypes }: LoadedWeights) {
  return new Map(Array.from(tensors, ([name, tensor]) => [name, { ...tensor, dtype: dtypes.get(name)! }]));
}

/** What a file of ours says about its use. Throws UserError('weights') for impossible noise levels. */
export function rolesOf(
  metadata: Readonly<Record<string, string>>,
  path: string,
): Pick<Model, 'role' | 'generatorSigma' | 'again' | 'deterministic' | 'boundary'> {
  const generatorSigma = Number(metadata['dmd.generatorSigma'] ?? 80);
  if (!(generatorSigma > 0 && generatorSigma < Number.POSITIVE_INFINITY)) {
    throw new UserError('weights', `${path}: 'dmd.generatorSigma' must be a number above 0`);
  }
  const role = metadata['dmd.role'] === 'generator' ? 'generator' : 'teacher';
  const again = againOf(metadata['dmd.again'], generatorSigma, path);
  return {
    role,
    generatorSigma,
    again,
    deterministic: metadata['dmd.noise'] === 'found',
    boundary: boundaryOf(metadata['dmd.boundary'], again.at(-1) ?? generatorSigma, path),
  };
}

/** @param lowest level that it is called at */
function boundaryOf(text: string | undefined, lowest: number, path: string): number | null {
  if (text === undefined) return null;
  const boundary = Number(text);
  if (boundary > 0 && boundary <= lowest) return boundary;
  throw new UserError(
    'weights',
    `${path}: 'dmd.boundary' must be a noise level above 0 and at most ${lowest}`,
    'Take the file as dmd distill wrote it.',
  );
}

function againOf(text: string | undefined, generatorSigma: number, path: string): readonly number[] {
  if (text === undefined) return [];
  const levels = jsonOf(text);
  const below = (level: unknown, i: number) =>
    typeof level === 'number' && level > 0 && level < (i === 0 ? generatorSigma : (levels as number[])[i - 1]!);
  if (Array.isArray(levels) && levels.every(below)) return levels as number[];
  throw new UserError(
    'weights',
    `${path}: 'dmd.again' must be descending noise levels below ${generatorSigma}`,
    'Take the file as dmd distill wrote it.',
  );
}

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Calls of a generator's network for an image. */
export const generatorCalls = ({ again }: Pick<Model, 'again'>): number => 1 + again.length;

/** The file behind a name. Throws UserError('weights') for a `builtin:` name that there is not. */
export function modelPath(name: string): string {
  if (!name.startsWith('builtin:')) return name;
  const model = name.slice('builtin:'.length);
  const texts = Object.entries(builtinTextModels).filter(([, folder]) => isDiffusersFolder(inMedia(folder)));
  const known = { ...builtinModels, ...Object.fromEntries(texts) };
  if (!Object.hasOwn(known, model)) {
    const names = Object.keys(known).map((builtin) => `builtin:${builtin}`);
    throw new UserError(
      'weights',
      `there is no built-in model '${model}'`,
      `Built in: ${names.join(', ')}; or give a file.`,
    );
  }
  const path = inMedia(known[model]!);
  if (!existsSync(path)) throw new UserError('weights', `${path} is missing`, 'Install the package again.');
  return path;
}

function inMedia(name: string): string {
  return join(packageRoot(), 'media', name);
}

function refuseBadNumbers(weights: ReadonlyMap<string, TensorData>, path: string): void {
  for (const [tensor, { data }] of weights) {
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad === undefined) continue;
    throw new UserError('weights', `${path}: ${tensor} holds ${bad}`, 'Use an earlier snapshot of the network.');
  }
}
