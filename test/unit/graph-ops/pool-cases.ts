/** Pooling in the table of operations. */
import * as ops from '../../../backend/graph/ops/index.ts';
import { type OpCase, opCase } from './op-case.ts';

const windows: [name: string, x: number[], size: number, stride: number, padding: number][] = [
  ['3x3', [2, 3, 5, 7], 3, 1, 0],
  ['3x3 over the border', [2, 3, 5, 4], 3, 1, 1],
  ['3x3, stride 2', [1, 2, 9, 7], 3, 2, 0],
  ['3x3, stride 2, odd rows unused', [1, 2, 8, 6], 3, 2, 0],
  ['2x2, stride 2, over the border', [2, 1, 5, 6], 2, 2, 1],
  ['4x4, stride 3, far over the border', [1, 2, 7, 5], 4, 3, 3],
  ['the whole image', [2, 3, 4, 4], 4, 1, 0],
  ['blocks of channels', [1, 32, 6, 5], 3, 1, 1],
];

export const poolCases: OpCase[] = windows.flatMap(([name, x, size, stride, padding]) => [
  opCase('maxPool2d', name, [x], (image) => ops.maxPool2d(image, size, { stride, padding }), 'none'),
  opCase('averagePool2d', name, [x], (image) => ops.averagePool2d(image, size, { stride, padding }), 'none'),
]);
