/**
 * A graph whose weights lie in a file beside the .onnx file (ONNX's external data): what protobuf's 2 GB do not hold. The
 * weights are handed on as they are, so that gigabytes are not copied.
 */
import type { Graph } from '../graph.ts';
import { type EmitOptions, lowerGraph } from './emit.ts';
import { encodeModel, type OnnxInitializer } from './proto.ts';

/** Bytes from which on a constant goes into the other file; small ones stay for tools that infer shapes. */
const smallestExternal = 1024;
/** Offsets are multiples of a page, so that readers can map the file into memory. */
const page = 4096;

export interface ModelWithData {
  /** The .onnx file. */
  readonly model: Uint8Array;
  /** The file beside it, piece by piece. */
  readonly data: readonly Uint8Array[];
}

/** @param location name of the file with the weights, in the same folder as the model */
export function emitWithExternalData(graph: Graph, options: EmitOptions, location: string): ModelWithData {
  const lowered = lowerGraph(graph, options);
  const data: Uint8Array[] = [];
  let offset = 0;
  const initializers = lowered.initializers.map((initializer): OnnxInitializer => {
    const { buffer, byteOffset, byteLength } = initializer.data;
    if (byteLength < smallestExternal) return initializer;
    const external = { location, offset };
    const padding = (page - (byteLength % page)) % page;
    data.push(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(padding));
    offset += byteLength + padding;
    return { ...initializer, external };
  });
  return { model: encodeModel({ ...lowered, initializers }), data };
}
