/** The products of all pairs of feature vectors on a device, for precision and recall: hours less than on the host. */
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { matmul } from '../graph/ops/index.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { PairProducts } from '../metrics/precision-recall.ts';

export interface DeviceProducts {
  readonly products: PairProducts;
  dispose(): Promise<void>;
}

/** Compiles the product of [side, dims] by [side, dims]^T; smaller blocks are filled up with zeros. */
export async function deviceProducts(engine: Engine, side: number, dims: number): Promise<DeviceProducts> {
  const graph = new Graph();
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, [side, dims]));
  graph.output('product', matmul(a, b, { transB: true }));
  const program = await engine.compile(graph, { name: 'pair products' });
  return { products: (x, y) => multiply(program, x, y, side), dispose: () => program.dispose() };
}

async function multiply(program: Program, a: TensorData, b: TensorData, side: number): Promise<Float32Array> {
  const { product } = await program.run({ a: filled(a, side), b: filled(b, side) });
  const all = await product.read();
  const [rows, columns] = [a.shape[0], b.shape[0]];
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) out.set(all.subarray(i * side, i * side + columns), i * columns);
  product.dispose();
  return out;
}

function filled({ shape: [rows, dims], data }: TensorData, side: number): TensorData {
  if (rows === side) return { shape: [rows, dims], data };
  const out = new Float32Array(side * dims);
  out.set(data);
  return { shape: [side, dims], data: out };
}
