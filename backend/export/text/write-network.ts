/** One network of an export: its folder with model.onnx and, for one that is too large for a single file, its weights beside it. */
import path from 'node:path';
import { writePiecesAtomic } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folders.ts';
import type { Graph } from '../../graph/graph.ts';
import { type EmitOptions, lowerGraph } from '../../graph/onnx/emit.ts';
import { emitWithExternalData } from '../../graph/onnx/external-data.ts';
import { modelPieces } from '../../graph/onnx/proto.ts';

const modelName = 'model.onnx';
/** As Optimum calls it. */
const dataName = 'model.onnx_data';

/** @returns bytes written. Throws UserError('io'). */
export async function writeNetwork(
  folder: string,
  graph: Graph,
  metadata: Readonly<Record<string, string>>,
  isLarge: boolean,
): Promise<number> {
  makeFolder(folder);
  const options: EmitOptions = { metadata: { ...metadata }, inputTypes: { input_ids: 'int32' } };
  const write = async (name: string, pieces: readonly Uint8Array[]) =>
    (await writePiecesAtomic(path.join(folder, name), pieces)).bytes;
  if (!isLarge) return write(modelName, modelPieces(lowerGraph(graph, options)));
  const { model, data } = emitWithExternalData(graph, options, dataName);
  return (await write(dataName, data)) + (await write(modelName, [model]));
}

/** Names and shapes, e.g. `latent_sample [1, 4, 64, 64] -> sample [1, 3, 512, 512]`. */
export function signatureOf({ inputs, outputs }: Graph): string {
  const list = (part: Graph['inputs']) =>
    [...part].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ');
  return `${list(inputs)} -> ${list(outputs)}`;
}
