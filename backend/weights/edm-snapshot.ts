/**
 * EDM's `network-snapshot-*.pkl`: a dictionary whose `ema` is a persistent network, beside the loss, the augmentation and
 * the data set's settings (NVlabs/edm, training/training_loop.py). What a network needs from it are the constructor's
 * arguments and the state dict.
 */

import { withWeightsFile } from './files.ts';
import { PersistentObject } from './pickle/persistence.ts';
import type { Value } from './pickle/values.ts';
import { refuse } from './refusal.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { readPickled, type TorchFile } from './torch/read.ts';

export interface EdmSnapshot {
  /** e.g. 'EDMPrecond'. */
  readonly className: string;
  /** `class` and the constructor's arguments by name, as a network's configuration wants them. */
  readonly initKwargs: Record<string, unknown>;
  /** State-dict names ('model.enc.8x8_conv.weight', ...), buffers included. */
  readonly tensors: Map<string, StoredTensor>;
  /** What else the file's dictionary has, e.g. 'loss_fn', 'dataset_kwargs'. */
  readonly otherKeys: readonly string[];
}

/** Reads a snapshot. Throws UserError('weights') when the file is damaged, refused, or no EDM snapshot. */
export function readEdmSnapshot(path: string): Promise<EdmSnapshot> {
  return withWeightsFile(path, async (file) => {
    const content = await readPickled(file);
    return edmSnapshotOf(content) ?? refuse('it holds no persistent network', 'Name an EDM network-snapshot*.pkl.');
  });
}

/** The snapshot in a PyTorch file that was read; undefined when its weights belong to no persistent network. */
export function edmSnapshotOf({ module, tensors, root, path }: TorchFile): EdmSnapshot | undefined {
  if (!(module instanceof PersistentObject)) return undefined;
  const keys = root instanceof Map ? [...root.keys()].filter((key) => typeof key === 'string') : [];
  return {
    className: module.className,
    initKwargs: { class: module.className, ...constructorArguments(module) },
    tensors,
    otherKeys: keys.filter((key) => key !== path[0]),
  };
}

/** The order in which the original constructors take them, for arguments that were given without a name. */
const common = ['img_resolution', 'img_channels', 'label_dim', 'use_fp16'];
const positional: Record<string, readonly string[]> = {
  EDMPrecond: [...common, 'sigma_min', 'sigma_max', 'sigma_data', 'model_type'],
  VPPrecond: [...common, 'beta_d', 'beta_min', 'M', 'epsilon_t', 'model_type'],
  VEPrecond: [...common, 'sigma_min', 'sigma_max', 'model_type'],
  iDDPMPrecond: [...common, 'C_1', 'C_2', 'M', 'model_type'],
};

function constructorArguments(module: PersistentObject): Record<string, unknown> {
  const { className, attributes } = module;
  const args = attributes.get('_init_args');
  const named = attributes.get('_init_kwargs');
  if (!Array.isArray(args) || !(named instanceof Map)) refuse(`${className} does not say how it was constructed`);
  const names = Object.hasOwn(positional, className) ? positional[className] : [];
  if (args.length > names.length) refuse(`${className} was constructed with ${args.length} unnamed arguments`);
  const pairs = args.map((value, i): [Value, Value] => [names[i], value]);
  return Object.fromEntries([...pairs, ...named].map(([key, value]) => [String(key), plain(value, String(key), 0)]));
}

/** A setting as JSON would have it (but for infinities). */
function plain(value: Value, key: string, depth: number): unknown {
  if (depth > 8) refuse(`its setting ${key} is nested without end`);
  if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) return value;
  if (Array.isArray(value) && value.length <= 1000) return value.map((item) => plain(item, key, depth + 1));
  if (value instanceof Map && value.size <= 1000) {
    return Object.fromEntries([...value].map(([name, item]) => [String(name), plain(item, key, depth + 1)]));
  }
  return refuse(`its setting ${key} is none that a network has`);
}
