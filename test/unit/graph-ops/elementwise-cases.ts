/** Element-wise operations: every one alone, and the binary ones with every way of broadcasting. */

import type { Tensor } from '../../../backend/graph/graph.ts';
import { apply1 } from '../../../backend/graph/ops/define.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { barrierOp } from '../../../backend/graph/recompute.ts';
import { type Draw, drawn, type OpCase, opCase } from './op-case.ts';

const unary: [op: string, apply: (x: Tensor) => Tensor, draw: Draw][] = [
  ['neg', ops.neg, 'normal'],
  ['exp', ops.exp, 'normal'],
  ['log', ops.log, 'positive'],
  ['sqrt', ops.sqrt, 'positive'],
  ['sin', ops.sin, 'normal'],
  ['cos', ops.cos, 'normal'],
  ['abs', ops.abs, 'nonzero'],
  ['sigmoid', ops.sigmoid, 'normal'],
  ['tanh', ops.tanh, 'normal'],
  ['relu', ops.relu, 'nonzero'],
  ['silu', ops.silu, 'normal'],
  ['gelu', ops.gelu, 'normal'],
];

const unaryCases = unary.flatMap(([op, apply, draw]) =>
  [[], [1], [3, 1, 5, 7]].map((shape) => opCase(op, `[${shape}]`, [drawn(draw, ...shape)], apply)),
);

/** Left shape, right shape. */
const broadcasts: [number[], number[]][] = [
  [[], []],
  [
    [2, 3, 5],
    [2, 3, 5],
  ],
  [[2, 3, 5], []],
  [[], [3, 4]],
  [[3], [2, 5, 3]],
  [
    [2, 3, 1, 5],
    [3, 7, 1],
  ],
  [
    [1, 4],
    [5, 1],
  ],
  [[1, 1, 1], [6]],
];

type BinaryEntry = [
  op: string,
  apply: (a: Tensor, b: Tensor) => Tensor,
  left: Draw,
  right: Draw,
  gradient: OpCase['gradient'],
];

const binary: BinaryEntry[] = [
  ['add', ops.add, 'normal', 'normal', 'checked'],
  ['sub', ops.sub, 'normal', 'normal', 'checked'],
  ['mul', ops.mul, 'normal', 'normal', 'checked'],
  ['div', ops.div, 'normal', 'nonzero', 'checked'],
  ['maximum', ops.maximum, 'integers', 'halves', 'checked'],
  ['minimum', ops.minimum, 'integers', 'halves', 'checked'],
  ['greater', ops.greater, 'few', 'few', 'none'],
  ['equal', ops.equal, 'few', 'few', 'none'],
];

const binaryCases = binary.flatMap(([op, apply, left, right, gradient]) =>
  broadcasts.map(([a, b]) =>
    opCase(op, `[${a}] with [${b}]`, [drawn(left, ...a), drawn(right, ...b)], apply, gradient),
  ),
);

const few = drawn('few', 40);
const barrier = (value: Tensor, trigger: Tensor) => apply1(barrierOp, [value, trigger]);

export const elementwiseCases: OpCase[] = [
  ...unaryCases,
  ...binaryCases,
  ...[[5, 7], [], [3, 1, 4]].map((shape) =>
    opCase('siluGrad', `[${shape}]`, [shape, shape], (x, dy) => ops.siluGrad(x, ops.silu(x), dy), 'none'),
  ),
  opCase('siluGrad', 'far from zero', [drawn('far', 19), [19]], (x, dy) => ops.siluGrad(x, ops.silu(x), dy), 'none'),
  ...[[5, 7], [], [3, 1, 4]].map((shape) => opCase('geluGrad', `[${shape}]`, [shape, shape], ops.geluGrad, 'none')),
  opCase('geluGrad', 'far from zero', [drawn('far', 19), [19]], ops.geluGrad, 'none'),
  opCase('gelu', 'far from zero', [drawn('far', 19)], ops.gelu, 'agrees'),
  opCase('mul', 'quickGelu', [[4, 5]], ops.quickGelu),
  opCase('sign', 'a scalar', [drawn('integers')], ops.sign, 'none'),
  opCase('sign', 'with zeros', [drawn('integers', 4, 1, 7)], ops.sign, 'none'),
  opCase('detach', 'passes on', [[2, 3]], ops.detach, 'none'),
  opCase('detach', 'stops one path of two', [[2, 3]], (x) => ops.mul(ops.detach(x), x), 'agrees'),
  opCase('maximum', 'ties', [few, few], ops.maximum, 'agrees'),
  opCase('minimum', 'ties', [few, few], ops.minimum, 'agrees'),
  opCase('mul', 'one tensor twice', [[4, 3]], (x) => ops.mul(x, x)),
  opCase('sub', 'number on the left', [[4, 3]], (x) => ops.sub(1, x)),
  opCase('div', 'number on the left', [drawn('nonzero', 4, 3)], (x) => ops.div(2, x)),
  opCase('exp', 'large negative numbers', [[5]], (x) => ops.exp(ops.sub(x, 10)), 'agrees'),
  opCase('sigmoid', 'far from zero', [drawn('far', 19)], ops.sigmoid, 'agrees'),
  opCase('silu', 'far from zero', [drawn('far', 19)], ops.silu, 'agrees'),
  opCase('tanh', 'far from zero', [drawn('far', 19)], ops.tanh, 'agrees'),
  opCase(
    'barrier',
    'passes the value on',
    [
      [2, 3],
      [4, 1],
    ],
    barrier,
    'agrees',
  ),
  opCase('barrier', 'scalars', [[], []], barrier, 'agrees'),
];
