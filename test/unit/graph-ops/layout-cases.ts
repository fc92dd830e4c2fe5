/** Reductions, layout, matrix products, softmax. */
import * as ops from '../../../backend/graph/ops/index.ts';
import { widenOp } from '../../../backend/graph/ops/layout.ts';
import { drawn, type OpCase, opCase } from './op-case.ts';

const reductionShapes: [shape: number[], axes: number[] | undefined, keepDims: boolean][] = [
  [[2, 3, 5], undefined, false],
  [[2, 3, 5], [1], false],
  [[2, 3, 5], [-1], true],
  [[2, 3, 5], [-3, 2], false],
  [[1, 4, 1, 3], [0, 2], true],
  [[7], [0], false],
  [[2, 3], [], false],
  [[], undefined, false],
];

const reductions = Object.entries({ sum: ops.sum, mean: ops.mean, max: ops.max }).flatMap(([op, apply]) =>
  reductionShapes.map(([shape, axes, keepDims]) =>
    opCase(op, `[${shape}] over ${axes ?? 'all'}${keepDims ? ', kept' : ''}`, [drawn('distinct', ...shape)], (x) =>
      apply(x, axes ? { axes, keepDims } : { keepDims }),
    ),
  ),
);

const matmulShapes: [a: number[], b: number[]][] = [
  [
    [3, 5],
    [5, 4],
  ],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [2, 3, 5],
    [2, 5, 4],
  ],
  [
    [2, 1, 3, 5],
    [4, 5, 2],
  ],
  [
    [3, 5],
    [2, 5, 1],
  ],
  [
    [2, 3, 5],
    [5, 4],
  ],
];
const swapped = (shape: number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

const products = matmulShapes.flatMap(([a, b]) =>
  [false, true].flatMap((transA) =>
    [false, true].map((transB) => {
      const shapes = [transA ? swapped(a) : a, transB ? swapped(b) : b];
      const name = `[${shapes[0]}]${transA ? "'" : ''} [${shapes[1]}]${transB ? "'" : ''}`;
      return opCase('matmul', name, shapes, (x, y) => ops.matmul(x, y, { transA, transB }));
    }),
  ),
);

export const layoutCases: OpCase[] = [
  ...reductions,
  ...products,
  opCase('max', 'ties share the gradient', [drawn('few', 4, 6)], (x) => ops.max(x, { axes: [1] }), 'agrees'),
  opCase('reshape', 'to more axes', [[6, 5]], (x) => ops.reshape(x, [2, 1, 3, 5])),
  opCase('reshape', 'one number to a scalar', [[1, 1]], (x) => ops.reshape(x, [])),
  opCase('reshape', 'a scalar to an image', [[]], (x) => ops.reshape(x, [1, 1, 1, 1])),
  opCase('transpose', 'two axes', [[3, 5]], (x) => ops.transpose(x, [1, 0])),
  opCase('transpose', 'a cycle, which is not its own inverse', [[2, 3, 5, 1]], (x) => ops.transpose(x, [2, 0, 3, 1])),
  opCase('transpose', 'six axes', [[2, 1, 3, 2, 1, 2]], (x) => ops.transpose(x, [0, 3, 5, 1, 2, 4])),
  opCase('broadcastTo', 'from a scalar', [[]], (x) => ops.broadcastTo(x, [2, 3])),
  opCase('broadcastTo', 'inner and leading axes', [[3, 1]], (x) => ops.broadcastTo(x, [2, 3, 4])),
  // The engines' contract has float16.
  opCase('widen', 'float32 stays', [[2, 3]], (x) => x.graph.apply(widenOp, [x], {})[0], 'none'),
  opCase('slice', 'every axis', [[4, 5, 6]], (x) => ops.slice(x, [1, 0, 2], [3, 5, 3])),
  opCase('slice', 'everything', [[2, 3]], (x) => ops.slice(x, [0, 0], [2, 3])),
  opCase('slice', 'a scalar', [[]], (x) => ops.slice(x, [], [])),
  opCase('slice', 'one axis', [[2, 7]], (x) => ops.sliceAxis(x, 1, 3, 7)),
  opCase(
    'concat',
    'three along the second axis',
    [
      [2, 3, 2],
      [2, 1, 2],
      [2, 4, 2],
    ],
    (...all) => ops.concat(all, 1),
  ),
  opCase('concat', 'one tensor twice', [[3]], (x) => ops.concat([x, x], 0)),
  opCase('pad', 'uneven', [[2, 3, 4]], (x) => ops.pad(x, [0, 1, 2], [3, 0, 1])),
  opCase('pad', 'one side', [[5]], (x) => ops.pad(x, [0], [2])),
  opCase('softmax', 'rows', [[3, 7]], (x) => ops.softmax(x)),
  opCase('softmax', 'a single number', [[2, 1]], (x) => ops.softmax(x)),
  opCase('softmax', 'large scores', [[2, 3, 5]], (x) => ops.softmax(ops.add(ops.mul(x, 4), 200))),
  opCase('matmul', 'linear layer', [[3, 5], [4, 5], [4]], (x, w, b) => ops.linear(x, w, b)),
];
