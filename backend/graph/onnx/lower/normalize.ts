/** Group normalisation in ONNX, over a [batch * groups, rest] view. */

import type { Node } from '../../graph.ts';
import { sizeOf } from '../../tensor-data.ts';
import type { Lowering, Lowerings } from './lowering.ts';

function rowsOf(node: Node): [number, number] {
  const { shape } = node.inputs[0];
  const rows = shape[0] * (node.attrs.groups as number);
  return [rows, sizeOf(shape) / rows];
}

/** Two passes (mean, then squares of the differences): a single pass loses digits where the mean is large. */
const normalizeGroups: Lowering = (writer, node, [x]) => {
  const flat = writer.reshape(x, rowsOf(node));
  const centred = writer.op('Sub', [flat, writer.reduce('ReduceMean', flat, [1])]);
  const variance = writer.reduce('ReduceMean', writer.op('Mul', [centred, centred]), [1]);
  const shifted = writer.op('Add', [variance, writer.scalar(node.attrs.epsilon as number)]);
  const inverseStd = writer.op('Reciprocal', [writer.op('Sqrt', [shifted])]);
  const normalized = writer.reshape(writer.op('Mul', [centred, inverseStd]), node.inputs[0].shape);
  return [normalized, writer.reshape(inverseStd, node.outputs[1].shape)];
};

/** inverseStd * (dy - mean(dy) - y * mean(dy * y)). */
const normalizeGroupsGrad: Lowering = (writer, node, [normalized, inverseStd, dy]) => {
  const view = rowsOf(node);
  const y = writer.reshape(normalized, view);
  const gradient = writer.reshape(dy, view);
  const meanDy = writer.reduce('ReduceMean', gradient, [1]);
  const meanDyY = writer.reduce('ReduceMean', writer.op('Mul', [gradient, y]), [1]);
  const rest = writer.op('Sub', [writer.op('Sub', [gradient, meanDy]), writer.op('Mul', [y, meanDyY])]);
  const scaled = writer.op('Mul', [rest, writer.reshape(inverseStd, [view[0], 1])]);
  return [writer.reshape(scaled, node.inputs[0].shape)];
};

export const normalizeLowerings: Lowerings = { normalizeGroups, normalizeGroupsGrad };
