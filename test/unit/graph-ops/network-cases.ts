/** Convolution and its gradients, resampling, normalisation, attention. */
import type { Tensor } from '../../../backend/graph/graph.ts';
import { attentionGradOp, attentionOp } from '../../../backend/graph/ops/attention.ts';
import { apply1 } from '../../../backend/graph/ops/define.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { normalizeGroupsGradOp, normalizeGroupsOp } from '../../../backend/graph/ops/normalize.ts';
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
  const inverseStd = drawn('positive', shape[0], groups);
  return [
    opCase('normalizeGroups', `[${shape}] in ${groups}`, [shape], (x) => ops.normalizeGroups(x, groups, 1e-5)),
    opCase(
      'normalizeGroups',
      `[${shape}] in ${groups}, inverse deviation`,
      [shape],
      (x) => x.graph.apply(normalizeGroupsOp, [x], { groups, epsilon: 1e-3 })[1],
      'none',
    ),
    opCase(
      'normalizeGroupsGrad',
      `[${shape}] in ${groups}`,
      [shape, inverseStd, shape],
      (...inputs) => apply1(normalizeGroupsGradOp, inputs, { groups, epsilon: 1e-5 }),
      'none',
    ),
  ];
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

const shiftedNorm = (x: Tensor) => ops.normalizeGroups(ops.add(x, 100), 2, 1e-5);

export const networkCases: OpCase[] = [
  ...convCases,
  ...resampleCases,
  ...normalizeCases,
  ...attentionCases,
  // The mean takes digits with it; in one pass (mean of squares less square of the mean) it would take twice as many.
  {
    ...opCase('normalizeGroups', 'mean far from zero', [[2, 4, 3, 3]], shiftedNorm, 'agrees'),
    tolerance: 1e-4,
  },
  opCase(
    'normalizeGroups',
    'a constant image',
    [[2, 4, 3, 3]],
    (x) => ops.normalizeGroups(ops.mul(x, 0), 2, 1e-5),
    'agrees',
  ),
  opCase('normalizeGroups', 'whole group normalisation', [[2, 6, 4, 3], [6], [6]], (x, w, b) =>
    ops.groupNorm(x, w, b, 3, 1e-5),
  ),
  opCase(
    'normalizeGroups',
    'scale and shift per sample',
    [
      [2, 4, 3, 3],
      [2, 4],
      [2, 4],
    ],
    (x, s, b) => ops.channelAffine(ops.normalizeGroups(x, 2, 1e-5), s, b),
  ),
];
