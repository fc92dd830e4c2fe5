/** Convolution and its gradients, resampling, normalisation, attention. */
import type { Tensor } from '../../../backend/graph/graph.ts';
import { attentionGradOp, attentionOp } from '../../../backend/graph/ops/attention.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { groupNormGradOp, groupNormOp, normalizedAgain } from '../../../backend/graph/ops/normalize.ts';
import { convCases } from './conv-cases.ts';
import { drawn, type OpCase, opCase } from './op-case.ts';

const filters: [taps: number[], pad: number | undefined, gain: number][] = [
  [[1, 1], undefined, 1],
  [[1, 1], undefined, 4],
  [[1, 3, 3, 1], undefined, 1],
  [[1, 3, 3, 1], undefined, 4],
  [[1, 2, 1, 4], 2, 1.5],
  [[1, 1], 1, 1],
  [[1, 0.5], 0, 2],
];

const resampleCases = filters.flatMap(([taps, pad, gain]) => {
  const name = `taps ${taps}, pad ${pad ?? 'implied'}, gain ${gain}`;
  return [
    opCase('downsample2', name, [[2, 3, 6, 8]], (x) => ops.downsample2(x, taps, { pad, gain })),
    opCase('downsample2', `${name}, one channel`, [[1, 1, 4, 2]], (x) => ops.downsample2(x, taps, { pad, gain })),
    opCase('upsample2', name, [[2, 3, 3, 5]], (x) => ops.upsample2(x, taps, { pad, gain })),
    opCase('upsample2', `${name}, one channel`, [[1, 1, 2, 3]], (x) => ops.upsample2(x, taps, { pad, gain })),
  ];
});

const normalizeShapes: [shape: number[], groups: number][] = [
  [[2, 6, 3, 5], 3],
  [[1, 4, 4, 2], 1],
  [[3, 4, 2, 3], 4],
  [[2, 8], 2],
];

const normalizeCases = normalizeShapes.flatMap(([shape, groups]) => {
  const [batch, channels] = shape;
  const inverseStd = drawn('positive', batch, groups);
  const attrs = { groups, epsilon: 1e-3 };
  const factorShapes = [[channels], [batch, channels]];
  return factorShapes.flatMap((factor) => {
    const name = `[${shape}] in ${groups}, factors [${factor}]`;
    return [
      opCase('groupNorm', name, [shape, factor, factor], (x, w, b) => ops.groupNorm(x, w, b, groups, 1e-5)),
      ...[1, 2].map((i) =>
        opCase(
          'groupNorm',
          `${name}, output ${i}`,
          [shape, factor, factor],
          (...inputs) => inputs[0].graph.apply(groupNormOp, inputs, attrs)[i],
          'none',
        ),
      ),
      opCase('groupNormAgain', name, [shape, inverseStd, factor, factor], normalizedAgain, 'none'),
      ...[0, 1, 2].map((i) =>
        opCase(
          'groupNormGrad',
          `${name}, output ${i}`,
          [shape, inverseStd, factor, shape],
          (...inputs) => inputs[0].graph.apply(groupNormGradOp, inputs, { groups })[i],
          'none',
        ),
      ),
    ];
  });
});

const attentionShapes: [name: string, q: number[], k: number[], v: number[]][] = [
  ['self', [2, 4, 6], [2, 4, 6], [2, 4, 6]],
  ['other keys and channels', [3, 2, 5], [3, 2, 7], [3, 3, 7]],
  ['one position', [1, 3, 1], [1, 3, 1], [1, 3, 1]],
  ['one key', [2, 3, 4], [2, 3, 1], [2, 2, 1]],
];

const attentionCases = attentionShapes.flatMap(([name, q, k, v]) => {
  const weights = [q[0], q[2], k[2]];
  const dy = [q[0], v[1], q[2]];
  return [
    opCase('attention', name, [q, k, v], (...qkv) => ops.attention(qkv[0], qkv[1], qkv[2])),
    opCase('attention', `${name}, scale given`, [q, k, v], (...qkv) => ops.attention(qkv[0], qkv[1], qkv[2], 0.7)),
    opCase(
      'attention',
      `${name}, weights`,
      [q, k, v],
      (...qkv) => qkv[0].graph.apply(attentionOp, qkv, { scale: 0.5 })[1],
      'none',
    ),
    ...[0, 1, 2].map((output) =>
      opCase(
        'attentionGrad',
        `${name}, output ${output}`,
        [q, k, v, drawn('positive', ...weights), dy],
        (...inputs) => inputs[0].graph.apply(attentionGradOp, inputs, { scale: 0.5 })[output],
        'none',
      ),
    ),
  ];
});

const shiftedNorm = (x: Tensor, w: Tensor, b: Tensor) => ops.groupNorm(ops.add(x, 100), w, b, 2, 1e-5);

export const networkCases: OpCase[] = [
  ...convCases,
  ...resampleCases,
  ...normalizeCases,
  ...attentionCases,
  // The mean takes digits with it; in one pass (mean of squares less square of the mean) it would take twice as many.
  {
    ...opCase('groupNorm', 'mean far from zero', [[2, 4, 3, 3], [4], [4]], shiftedNorm, 'agrees'),
    tolerance: 1e-4,
  },
  opCase(
    'groupNorm',
    'a constant image',
    [[2, 4, 3, 3], [4], [4]],
    (x, w, b) => ops.groupNorm(ops.mul(x, 0), w, b, 2, 1e-5),
    'agrees',
  ),
];
