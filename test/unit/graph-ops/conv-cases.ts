/** Convolutions and their gradients in the table of operations. */
import { conv2dInputGradOp, conv2dWeightGradOp } from '../../../backend/graph/ops/conv.ts';
import { apply1 } from '../../../backend/graph/ops/define.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { type OpCase, opCase } from './op-case.ts';

type Padding = [top: number, left: number, bottom: number, right: number];
type ConvShape = [name: string, x: number[], w: number[], stride: number, padding: Padding, groups: number];

const convs: ConvShape[] = [
  ['3x3', [2, 3, 5, 7], [4, 3, 3, 3], 1, [1, 1, 1, 1], 1],
  ['1x1', [1, 5, 3, 4], [2, 5, 1, 1], 1, [0, 0, 0, 0], 1],
  ['no padding', [2, 2, 6, 5], [3, 2, 3, 3], 1, [0, 0, 0, 0], 1],
  ['wide padding', [1, 2, 3, 4], [3, 2, 2, 3], 1, [3, 2, 4, 5], 1],
  ['uneven padding', [2, 2, 4, 5], [3, 2, 3, 2], 1, [0, 1, 2, 0], 1],
  ['stride 2', [2, 3, 8, 6], [4, 3, 3, 3], 2, [1, 1, 1, 1], 1],
  ['stride 2, odd image, rest unused', [1, 2, 7, 6], [3, 2, 2, 3], 2, [0, 0, 1, 0], 1],
  ['stride 2, uneven padding', [2, 2, 7, 9], [3, 2, 3, 3], 2, [0, 0, 1, 1], 1],
  ['stride 3', [1, 2, 8, 10], [2, 2, 3, 3], 3, [1, 1, 1, 1], 1],
  ['stride 2, 1x1', [1, 2, 5, 4], [3, 2, 1, 1], 2, [0, 0, 0, 0], 1],
  ['two groups', [2, 4, 5, 4], [6, 2, 3, 3], 1, [1, 1, 1, 1], 2],
  ['depthwise', [1, 3, 6, 5], [3, 1, 3, 3], 1, [1, 1, 1, 1], 3],
  ['depthwise, two kernels each, stride 2', [2, 2, 7, 6], [4, 1, 3, 2], 2, [1, 0, 0, 1], 2],
  // Images and channel counts that are taken differently: many positions, and multiples of a block of channels.
  ['many positions', [3, 2, 17, 16], [3, 2, 3, 3], 1, [1, 1, 1, 1], 1],
  ['many positions, uneven padding', [2, 2, 16, 18], [3, 2, 3, 2], 1, [1, 0, 2, 1], 1],
  ['many positions, padding on one side', [1, 2, 18, 16], [2, 2, 3, 3], 1, [2, 0, 0, 2], 1],
  ['many positions, no padding', [2, 1, 19, 18], [2, 1, 3, 2], 1, [0, 0, 0, 0], 1],
  ['many positions, wide padding', [1, 2, 16, 16], [2, 2, 3, 3], 1, [3, 1, 3, 1], 1],
  ['many positions, 1x1', [2, 3, 16, 17], [4, 3, 1, 1], 1, [0, 0, 0, 0], 1],
  ['blocks of channels', [2, 16, 5, 3], [32, 16, 3, 3], 1, [1, 1, 1, 1], 1],
  ['blocks of channels, uneven padding', [1, 48, 4, 5], [16, 48, 3, 2], 1, [0, 1, 2, 0], 1],
  ['blocks of channels, stride 2', [1, 32, 6, 7], [16, 32, 3, 3], 2, [1, 1, 1, 1], 1],
  ['half a block of channels', [1, 8, 5, 4], [24, 8, 3, 3], 1, [1, 1, 1, 1], 1],
  ['kernel as large as the image', [2, 3, 4, 5], [2, 3, 4, 5], 1, [0, 0, 0, 0], 1],
];

const outputShape = ([, x, w, stride, [top, left, bottom, right]]: ConvShape) => [
  x[0],
  w[0],
  Math.floor((x[2] + top + bottom - w[2]) / stride) + 1,
  Math.floor((x[3] + left + right - w[3]) / stride) + 1,
];

const allOfThem = convs.flatMap((conv) => {
  const [name, x, w, stride, padding, groups] = conv;
  const options = { stride, padding, groups };
  const dy = outputShape(conv);
  return [
    opCase('conv2d', name, [x, w], (image, kernel) => ops.conv2d(image, kernel, null, options)),
    opCase('conv2d', `${name}, bias`, [x, w, [w[0]]], (image, kernel, b) => ops.conv2d(image, kernel, b, options)),
    opCase('conv2dInputGrad', name, [dy, w], (...inputs) =>
      apply1(conv2dInputGradOp, inputs, { ...options, shape: x }),
    ),
    opCase('conv2dWeightGrad', name, [x, dy], (...inputs) =>
      apply1(conv2dWeightGradOp, inputs, { ...options, shape: w }),
    ),
  ];
});

export const convCases: OpCase[] = [
  ...allOfThem,
  // Too many numbers to be taken in one piece.
  opCase(
    'conv2dWeightGrad',
    'in several pieces',
    [
      [7, 16, 32, 32],
      [7, 16, 32, 32],
    ],
    (...inputs) =>
      apply1(conv2dWeightGradOp, inputs, { stride: 1, padding: [1, 1, 1, 1], groups: 1, shape: [16, 16, 3, 3] }),
    'agrees',
  ),
];
