/**
 * Runs forward and backward through a deep chain of convolutions once and prints, as JSON, by how many MiB the largest
 * resident size of this process grew while it ran, and a checksum of the gradients. Arguments: `plain` or `recompute`.
 */
import { createOnnxRuntimeEngine } from '../../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../../backend/graph/graph.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { sizeOf, tensorData } from '../../../backend/graph/tensor-data.ts';
import { stream } from '../../../backend/random/stream.ts';

const recompute = process.argv[2] === 'recompute';
const blocks = 10;
const layersPerBlock = 3;
const channels = 16;

function residualBlock(x: Tensor, weight: Tensor): Tensor {
  let y = x;
  for (let i = 0; i < layersPerBlock; i++) {
    y = ops.silu(ops.groupNorm(ops.conv2d(y, weight, null, { padding: 1 }), ones, ones, 4, 1e-5));
  }
  return ops.add(x, y);
}

const graph = new Graph();
const ones = graph.constant([channels], Array(channels).fill(1));
let x = graph.input('x', [2, channels, 96, 96]); // 1.1 MiB, as every value in between
const weights: Tensor[] = [];
for (let i = 0; i < blocks; i++) {
  const [before, weight] = [x, graph.input(`w${i}`, [channels, channels, 3, 3])];
  weights.push(weight);
  x = recompute ? graph.recompute(() => residualBlock(before, weight)) : residualBlock(before, weight);
}
const sums = gradients(ops.mean(ops.square(x)), weights).map((gradient) => ops.sum(ops.abs(gradient)));
graph.output(
  'checksum',
  ops.concat(
    sums.map((sum) => ops.reshape(sum, [1])),
    0,
  ),
);

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const program = await engine.compile(graph);
const random = stream(5, 'recompute memory');
const feeds = Object.fromEntries(
  [...graph.inputs].map(([name, { shape }]) => [name, tensorData(shape, random.randn(sizeOf(shape)))]),
);
const peak = () => process.resourceUsage().maxRSS / 1024;
const before = peak();
const { checksum } = await program.run(feeds);
console.log(JSON.stringify({ grownMiB: peak() - before, checksum: Array.from(await checksum.read()) }));
