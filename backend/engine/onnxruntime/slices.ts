/** The programs that carry a tensor between host and device memory, a large one piece by piece. */
import { Graph, type Shape } from '../../graph/graph.ts';
import type { OnnxModel } from '../../graph/onnx/proto.ts';
import { concat, reshape } from '../../graph/ops/index.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import type { Declared } from '../engine.ts';

/** Numbers that cross at a time, 32 MiB. */
const pieceSize = 2 ** 23;

/** x -> y, the same numbers. */
export function identityGraph({ shape, type }: Declared): Graph {
  const graph = new Graph();
  graph.output('y', graph.input('x', shape, type));
  return graph;
}

/** y [numbers]: numbers begin..end, both int32 [1], of x as it lies in memory. */
export function cutModel({ shape, type }: Declared, numbers: number): OnnxModel {
  const node = (opType: string, inputs: string[], output: string) => ({
    ...{ name: opType, opType, domain: '', inputs, outputs: [output], attributes: {} },
  });
  return {
    nodes: [node('Reshape', ['x', 'size'], 'flat'), node('Slice', ['flat', 'begin', 'end'], 'y')],
    initializers: [{ name: 'size', dims: [1], data: BigInt64Array.of(BigInt(sizeOf(shape))) }],
    inputs: [
      { name: 'x', shape, type },
      { name: 'begin', shape: [1], type: 'int32' },
      { name: 'end', shape: [1], type: 'int32' },
    ],
    outputs: [{ name: 'y', shape: [numbers], type }],
    opsets: [{ domain: '', version: 18 }],
    metadata: {},
  };
}

/** x0, x1, ... each flat -> y, all of them in a row. */
export function joinGraph(shape: Shape, parts: readonly { readonly shape: Shape }[]): Graph {
  const graph = new Graph();
  const inputs = parts.map((part, i) => graph.input(`x${i}`, part.shape));
  graph.output('y', reshape(concat(inputs, 0), shape));
  return graph;
}

/** The same numbers in pieces of one size but for the last: a program for each is few programs. Empty only where there are none. */
export async function* regroup(slices: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
  let piece = new Float32Array(0);
  let [count, any] = [0, false];
  for await (const slice of slices) {
    for (let at = 0; at < slice.length; ) {
      if (piece.length === 0) piece = new Float32Array(pieceSize);
      const part = slice.subarray(at, at + pieceSize - count);
      piece.set(part, count);
      count += part.length;
      at += part.length;
      if (count < pieceSize) continue;
      yield piece;
      [count, any] = [0, true];
    }
  }
  if (count > 0 || !any) yield piece.subarray(0, count);
}
