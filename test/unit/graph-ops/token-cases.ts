/** Layer normalisation, table look-up and attention over tokens in the table of operations. */
import type { Tensor } from '../../../backend/graph/graph.ts';
import { embeddingGrad } from '../../../backend/graph/ops/embedding.ts';
import { headAttentionGradOp } from '../../../backend/graph/ops/head-attention.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { layerNormGradOp, layerNormOp } from '../../../backend/graph/ops/layer-norm.ts';
import { drawn, type OpCase, opCase } from './op-case.ts';

const layerNormCases = [
  [3, 5],
  [2, 3, 7],
  [1, 1],
  [2, 1, 3, 4],
].flatMap((shape) => {
  const factor = [shape.at(-1)!];
  const row = [...shape.slice(0, -1), 1];
  return [
    opCase('layerNorm', `[${shape}]`, [shape, factor, factor], (x, w, b) => ops.layerNorm(x, w, b, 1e-2)),
    ...[1, 2].map((i) =>
      opCase(
        'layerNorm',
        `[${shape}], output ${i}`,
        [shape, factor, factor],
        (...inputs) => inputs[0].graph.apply(layerNormOp, inputs, { epsilon: 1e-2 })[i],
        'none',
      ),
    ),
    ...[0, 1, 2].map((i) =>
      opCase(
        'layerNormGrad',
        `[${shape}], output ${i}`,
        [shape, row, drawn('positive', ...row), factor, shape],
        (...inputs) => inputs[0].graph.apply(layerNormGradOp, inputs, {})[i],
        'none',
      ),
    ),
  ];
});

const idsOf = (table: Tensor, shape: number[], ids: number[]) => table.graph.constant(shape, ids);

const embeddingCases = [
  opCase('embedding', 'rows twice and never', [[5, 3]], (t) => ops.embedding(t, idsOf(t, [2, 3], [4, 0, 4, 1, 4, 0]))),
  opCase('embedding', 'one row', [[1, 4]], (t) => ops.embedding(t, idsOf(t, [1], [0]))),
  opCase('embedding', 'a scalar id', [[3, 2]], (t) => ops.embedding(t, idsOf(t, [], [2]))),
  opCase('embedding', 'ids as an input', [[3, 2], drawn('few', 2, 7)], (t, ids) => ops.embedding(t, ids), 'none'),
  opCase(
    'embeddingGrad',
    'sums repeated rows',
    [drawn('few', 3, 4), [3, 4, 5]],
    (ids, dy) => embeddingGrad(ids, dy, [4, 5]),
    'none',
  ),
];

type HeadShape = [name: string, heads: number, q: number[], k: number[], v: number[], causal: boolean];

const headShapes: HeadShape[] = [
  ['self', 2, [2, 5, 6], [2, 5, 6], [2, 5, 6], false],
  ['one head', 1, [2, 4, 3], [2, 4, 3], [2, 4, 3], false],
  ['other keys and channels', 3, [1, 5, 6], [1, 7, 6], [1, 7, 3], false],
  ['one key', 2, [3, 4, 2], [3, 1, 2], [3, 1, 4], false],
  ['one query', 2, [2, 1, 4], [2, 6, 4], [2, 6, 4], false],
  ['causal', 2, [2, 5, 6], [2, 5, 6], [2, 5, 4], true],
  ['causal, one token', 2, [3, 1, 4], [3, 1, 4], [3, 1, 4], true],
];

const headCases = headShapes.flatMap(([name, heads, q, k, v, causal]) => {
  const dy = [q[0], q[1], v[2]];
  return [
    opCase('headAttention', name, [q, k, v], (...x) => ops.headAttention(x[0], x[1], x[2], { heads, causal })),
    opCase('headAttention', `${name}, scale given`, [q, k, v], (...x) =>
      ops.headAttention(x[0], x[1], x[2], { heads, causal, scale: 0.7 }),
    ),
    ...[0, 1, 2].map((output) =>
      opCase(
        'headAttentionGrad',
        `${name}, output ${output}`,
        [q, k, v, dy],
        (...x) => {
          const attrs = { heads, scale: 0.5, causal };
          const y = ops.headAttention(x[0], x[1], x[2], attrs);
          return x[0].graph.apply(headAttentionGradOp, [x[0], x[1], x[2], y, x[3]], attrs)[output];
        },
        'none',
      ),
    ),
  ];
});

export const tokenCases: OpCase[] = [
  ...layerNormCases,
  ...embeddingCases,
  ...headCases,
  // Rows whose mean is far larger than their spread.
  {
    ...opCase(
      'layerNorm',
      'mean far from zero',
      [[3, 9], [9], [9]],
      (x, w, b) => ops.layerNorm(ops.add(x, 100), w, b, 1e-5),
      'agrees',
    ),
    tolerance: 1e-4,
  },
];
