/**
 * Kind `fid-inception-features`: InceptionV3's features of images, with weights from a formula, and the resizing of
 * pytorch-fid. Images of the network's own size are made from coarse ones and the formula (`image299` in words).
 */
import { z } from 'zod';
import { Graph } from '../../graph/graph.ts';
import { mean } from '../../graph/ops/index.ts';
import { constantParameters } from '../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { inception, inceptionInput, inceptionSide } from '../../metrics/inception/network.ts';
import { inceptionFileTensors, inceptionWeights } from '../../metrics/inception/weights.ts';
import { resample } from '../../metrics/resample.ts';
import { type Case, damaged } from './case.ts';
import type { NumberArray } from './compare.ts';
import { formulaWeights, hashedNumbers, type WeightRule } from './formula-weights.ts';
import type { Kind } from './kind.ts';
import { runOnce } from './run-once.ts';

const configSchema = z.looseObject({
  resize_input: z.literal(true),
  normalize_input: z.literal(true),
  use_fid_inception: z.literal(true),
  bn_eps: z.literal(0.001),
});
const checkSchema = z.array(z.looseObject({ index: z.int().nonnegative(), value: z.number() }));

export const fidInception: Kind = async ({ case: theCase, engine }) => {
  theCase.part(configSchema, theCase.json.config, 'config');
  const weights = inceptionWeights(formulaWeights(theCase, inceptionFileTensors, weightRule), theCase.name);
  const coarse = theCase.input('base23', [-1, 3, 23, 23]);
  const small = theCase.input('image32', [coarse.shape[0], 3, -1, -1]);
  const resized = resample(small, inceptionSide, inceptionSide, 'bilinear');

  const graph = new Graph();
  const [batch] = coarse.shape;
  const { blocks, features } = inception(constantParameters(graph, weights), inceptionInput(graph, 2 * batch));
  blocks.forEach((block, i) => {
    graph.output(`block${i}`, mean(block, { axes: [2, 3] }));
  });
  graph.output('block3', features);

  const images = join(fineImages(theCase, coarse), resized);
  const arrays = new Map<string, NumberArray>([['resized32_crop', cornerOf(resized, 24)]]);
  const results = await runOnce(engine, graph, { images: { ...images, data: images.data.map((x) => 2 * x - 1) } });
  for (const [block, { shape, data }] of results) {
    const half = data.length / 2;
    ['image299', 'image32'].forEach((name, i) => {
      const part = Array.from(data).slice(i * half, (i + 1) * half);
      arrays.set(`${name}.${block}`, { shape: [batch, ...shape.slice(1)], data: part });
    });
  }
  return { arrays, scalars: new Map() };
};

function weightRule(name: string, shape: readonly number[]): WeightRule {
  if (name.endsWith('.bn.weight')) return (u) => 1 + 0.2 * (u - 0.5);
  if (name.endsWith('.bn.bias')) return (u) => 0.2 * (u - 0.5);
  if (name.endsWith('.running_mean')) return (u) => 0.4 * (u - 0.5);
  if (name.endsWith('.running_var')) return (u) => 0.5 + u;
  const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
  return (u) => (2 * u - 1) * bound;
}

/** image299[n,c,y,x] = 0.8 base23[n,c,y/13,x/13] + 0.2 u_i. */
function fineImages(theCase: Case, coarse: TensorData): TensorData {
  const shape = [coarse.shape[0], 3, inceptionSide, inceptionSide];
  const plane = inceptionSide ** 2;
  const noise = hashedNumbers('image299', sizeOf(shape), (u) => u);
  const data = Float32Array.from(noise, (u, i) => {
    const [row, column] = [Math.floor((i % plane) / inceptionSide), i % inceptionSide];
    const at = (Math.floor(i / plane) * 23 + Math.floor(row / 13)) * 23 + Math.floor(column / 13);
    return 0.8 * coarse.data[at]! + 0.2 * u;
  });
  for (const { index, value } of theCase.part(checkSchema, theCase.json.image299_check, 'image299_check')) {
    if (data[index] === Math.fround(value)) continue;
    throw damaged(`${theCase.name}: image299[${index}] is ${data[index]} where its check says ${value}`);
  }
  return { shape, data };
}

/** Two batches as one. */
function join(a: TensorData, b: TensorData): TensorData {
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return { shape: [a.shape[0] + b.shape[0], ...a.shape.slice(1)], data };
}

/** The first `side` rows and the last `side` columns. */
function cornerOf({ shape, data }: TensorData, side: number): TensorData {
  const [batch, channels, height, width] = shape;
  const out = new Float32Array(batch * channels * side * side);
  for (let k = 0; k < batch * channels * side; k++) {
    const from = (Math.floor(k / side) * height + (k % side) + 1) * width - side;
    out.set(data.subarray(from, from + side), k * side);
  }
  return { shape: [batch, channels, side, side], data: out };
}
