/**
 * Runs forward and backward through a deep network once and prints, as JSON, by how many MiB the largest resident size of this
 * process grew while it ran, and what the gradients are. Arguments: a name of `networks`; `none` or `blocks`.
 */
import { createOnnxRuntimeEngine } from '../../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../../backend/graph/graph.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { flatten, parameterInputs } from '../../../backend/graph/parameters.ts';
import { sizeOf, tensorData } from '../../../backend/graph/tensor-data.ts';
import { createNetwork } from '../../../backend/nets/index.ts';
import { stream } from '../../../backend/random/stream.ts';

type Recompute = 'none' | 'blocks';
const [, , name, recompute] = process.argv;
const graph = new Graph();

/** Ten blocks of nine layers on 1.1 MiB each: the output, and what the gradient is taken of. */
function chain(mode: Recompute): [Tensor, Tensor[]] {
  const channels = 16;
  const ones = graph.constant([channels], Array(channels).fill(1));
  const weights = Array.from({ length: 10 }, (_, i) => graph.input(`w${i}`, [channels, channels, 3, 3]));
  let x = graph.input('x', [2, channels, 96, 96]);
  for (const weight of weights) {
    const before = x;
    const block = () => {
      let y = before;
      for (let i = 0; i < 3; i++) {
        y = ops.silu(ops.groupNorm(ops.conv2d(y, weight, null, { padding: 1 }), ones, ones, 4, 1e-5));
      }
      return ops.add(before, y);
    };
    x = mode === 'blocks' ? graph.recompute(block) : block();
  }
  return [x, weights];
}

/** A network of EDM's with some thirty blocks, from 64 x 64 to 16 x 16 pixels; its attention is on the smallest, where it weighs little. */
function edm(model_type: string, mode: Recompute): [Tensor, Tensor[]] {
  const size = { img_resolution: 64, img_channels: 3, label_dim: 5, model_channels: 8, channel_mult: [1, 1, 1] };
  const config = { ...size, model_type, num_blocks: 4, attn_resolutions: [] };
  // So many that their values are more than what compiling took before.
  const batch = 24;
  const network = createNetwork(config, { recompute: mode });
  const source = parameterInputs(graph, 'parameters', network.layout);
  const [x, sigma, labels] = [
    graph.input('x', [batch, 3, 64, 64]),
    graph.input('sigma', [batch]),
    graph.input('labels', [batch, 5]),
  ];
  const positive = ops.add(ops.square(sigma), 0.1);
  return [network.denoise(source, x, positive, labels), [...source.tensors]];
}

const networks: Record<string, (mode: Recompute) => [Tensor, Tensor[]]> = {
  chain,
  SongUNet: (mode) => edm('SongUNet', mode),
  DhariwalUNet: (mode) => edm('DhariwalUNet', mode),
};

const [output, weights] = networks[name!]!(recompute === 'blocks' ? 'blocks' : 'none');
graph.output('gradient', flatten(gradients(ops.mean(ops.square(output)), weights)));

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const program = await engine.compile(graph);
const random = stream(5, 'recompute memory');
const feeds = Object.fromEntries(
  [...graph.inputs].map(([input, { shape }]) => [
    input,
    tensorData(
      shape,
      random.randn(sizeOf(shape)).map((value) => value * (input === 'parameters' ? 0.1 : 1)),
    ),
  ]),
);
const peak = () => process.resourceUsage().maxRSS / 1024;
const before = peak();
const { gradient } = await program.run(feeds);
console.log(JSON.stringify({ grownMiB: peak() - before, gradient: Array.from(await gradient.read()) }));
