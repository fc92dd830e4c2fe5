/** Weights from any file this program reads, as float32, with the network's configuration where the file has one. */
import type { TensorData } from '../graph/tensor-data.ts';
import { parseJson } from '../protocol/json.ts';
import { edmSnapshotOf } from './edm-snapshot.ts';
import { type WeightsFile, withWeightsFile } from './files.ts';
import { refuse } from './refusal.ts';
import { readOpenSafetensors } from './safetensors.ts';
import { sniff, sniffLength } from './sniff.ts';
import { type Dtype, type StoredTensor, toFloat32 } from './stored-tensor.ts';
import { type Choose, readPickled, readTorchZip, type TorchFormat } from './torch/read.ts';
import type { SetPath } from './weight-sets.ts';

export type WeightsFormat = 'safetensors' | 'edm-snapshot' | TorchFormat;

export interface LoadedWeights {
  /** State-dict names, float32. */
  readonly tensors: Map<string, TensorData>;
  /** Constructor arguments of the network, `class` among them; undefined where the file does not say. */
  readonly config?: Record<string, unknown>;
  /** What the file has each tensor as. */
  readonly dtypes: ReadonlyMap<string, Dtype>;
  /** The keys that led to them, [] where they are the whole file. */
  readonly path: SetPath;
  /** Those of other sets that would have fitted, where whoever chose knows. */
  readonly others: readonly SetPath[];
  readonly format: WeightsFormat;
  /** Free text by key that a safetensors file carries; empty for other formats. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The safetensors metadata key under which this program keeps a network's configuration, as JSON. */
export const configKey = 'dmd.network';

/**
 * Loads a weights file; its kind is recognised by its content. Throws UserError('weights') that names the file when it
 * is missing, damaged, refused, or something else (a web page, a Git LFS pointer, an archive, ...).
 * @param choose among several sets of weights; default: the average of the generator, as `chooseSet` finds it
 */
export function loadWeights(path: string, choose?: Choose): Promise<LoadedWeights> {
  return withWeightsFile(path, async (file) => {
    const kind = sniff(await file.read(0, Math.min(sniffLength, file.size)), file.size);
    return kind === 'safetensors' ? loadSafetensors(file) : loadTorch(file, kind, choose);
  });
}

async function loadSafetensors(file: WeightsFile): Promise<LoadedWeights> {
  const { tensors, metadata } = await readOpenSafetensors(file);
  const config = Object.hasOwn(metadata, configKey) ? parseConfig(metadata[configKey]) : undefined;
  return { ...widened(tensors), path: [], others: [], format: 'safetensors', metadata, ...(config && { config }) };
}

async function loadTorch(file: WeightsFile, kind: 'zip' | 'pickle', choose?: Choose): Promise<LoadedWeights> {
  const content = kind === 'zip' ? await readTorchZip(file, choose) : await readPickled(file, choose);
  const { path, others } = content;
  const snapshot = edmSnapshotOf(content);
  if (!snapshot) return { ...widened(content.tensors), path, others, format: content.format, metadata: {} };
  return {
    ...widened(snapshot.tensors),
    ...{ path, others },
    config: snapshot.initKwargs,
    metadata: {},
    format: kind === 'pickle' ? 'edm-snapshot' : content.format,
  };
}

function parseConfig(text: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = parseJson(text);
  } catch (error) {
    refuse(`its metadata '${configKey}' is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    refuse(`its metadata '${configKey}' is no JSON object`);
  }
  return config as Record<string, unknown>;
}

/** Each tensor is let go of as soon as its float32 values are there. */
function widened(tensors: Map<string, StoredTensor>): Pick<LoadedWeights, 'tensors' | 'dtypes'> {
  const out = new Map<string, TensorData>();
  const dtypes = new Map<string, Dtype>();
  for (const [name, tensor] of tensors) {
    out.set(name, toFloat32(tensor));
    dtypes.set(name, tensor.dtype);
    tensors.delete(name);
  }
  return { tensors: out, dtypes };
}
