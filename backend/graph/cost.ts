/**
 * What a graph costs, read off its shapes: the operations of its products, and the memory that its values hold at most at one
 * time. Engines fuse, reuse and copy, so both are for comparing sizes of graphs of one kind, not devices.
 */
import { constantOp, type Graph, type Node, type Tensor } from './graph.ts';
import { bytesPerNumber, sizeOf } from './tensor-data.ts';

export interface GraphCost {
  /** Floating-point operations of convolutions, matrix products and attention; two per multiply-add. */
  readonly flops: number;
  /** Largest sum of bytes of values that are alive together, without the graph's inputs and constants. */
  readonly peakBytes: number;
  readonly constantBytes: number;
}

export function graphCost(graph: Graph): GraphCost {
  return {
    flops: graph.nodes.reduce((sum, node) => sum + flopsOf(node), 0),
    peakBytes: peakOf(graph),
    constantBytes: graph.nodes.reduce((sum, node) => sum + constantBytesOf(node), 0),
  };
}

function constantBytesOf({ type, outputs }: Node): number {
  return type === constantOp ? bytesOf(outputs[0]!) : 0;
}

function flopsOf({ type, inputs, outputs, attrs }: Node): number {
  const [a = [], b = [], c = []] = inputs.map(({ shape }) => shape);
  const out = outputs[0]?.shape ?? [];
  switch (type.name) {
    case 'conv2d':
      return 2 * sizeOf(out) * sizeOf(b.slice(1));
    case 'conv2dInputGrad': // (d output, kernel)
      return 2 * sizeOf(a) * sizeOf(b.slice(1));
    case 'conv2dWeightGrad': // (image, d output) -> kernel
      return 2 * sizeOf(b) * sizeOf(out.slice(1));
    case 'matmul':
      return 2 * sizeOf(out) * a.at(attrs.transA ? -2 : -1)!;
    case 'attention': // [N, D, L]
      return 2 * a[0]! * a[2]! * b[2]! * (a[1]! + c[1]!);
    case 'attentionGrad':
      return 6 * a[0]! * a[2]! * b[2]! * (a[1]! + c[1]!);
    case 'headAttention': // [B, L, C]
      return 2 * a[0]! * a[1]! * b[1]! * (a[2]! + c[2]!);
    case 'headAttentionGrad':
      return 6 * a[0]! * a[1]! * b[1]! * (a[2]! + c[2]!);
    default:
      return 0;
  }
}

const bytesOf = ({ type, shape }: Tensor) => bytesPerNumber[type] * sizeOf(shape);

/** Their output is their input under another name. */
const views = new Set(['reshape', 'detach', 'barrier']);

function peakOf({ nodes, outputs }: Graph): number {
  const viewed = new Map<Tensor, Tensor>();
  const owner = (tensor: Tensor): Tensor => viewed.get(tensor) ?? tensor;
  const lastUse = new Map<Tensor, number>();
  nodes.forEach(({ type, inputs, outputs: made }, i) => {
    if (views.has(type.name)) viewed.set(made[0]!, owner(inputs[0]!));
    for (const tensor of [...inputs, ...made]) lastUse.set(owner(tensor), i);
  });
  for (const tensor of outputs.values()) lastUse.set(owner(tensor), nodes.length);
  const ends = new Map<number, Tensor[]>();
  for (const [tensor, at] of lastUse) ends.set(at, [...(ends.get(at) ?? []), tensor]);
  const counted = ({ node }: Tensor) => node.type.name !== 'input' && node.type.name !== 'constant';
  const bytes = (tensors: readonly Tensor[]) =>
    tensors.filter(counted).reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  let alive = 0;
  let peak = 0;
  nodes.forEach(({ type, outputs: made }, i) => {
    if (!views.has(type.name)) alive += bytes(made);
    peak = Math.max(peak, alive);
    alive -= bytes(ends.get(i) ?? []);
  });
  return peak;
}
