/** Layer normalisation in ONNX: the standard operator, and its gradient row by row. */
import { sizeOf } from '../../tensor-data.ts';
import type { Lowering, Lowerings } from './lowering.ts';

const layerNorm: Lowering = (writer, node, inputs) => {
  const attributes = { axis: -1, epsilon: { float: node.attrs.epsilon as number } };
  return writer.call('LayerNormalization', inputs, attributes, 3);
};

/**
 * With n = r (x - mean), r the inverse deviation, w the scale, and means over a row:
 * d loss / d x = r (w dy - mean(w dy) - n mean(w dy n)).
 */
const layerNormGrad: Lowering = (writer, node, [x, mean, inverseStd, scale, dy]) => {
  const { shape } = node.inputs[0];
  const channels = shape.at(-1)!;
  const rows = sizeOf(shape) / channels;
  const [flat, dFlat] = [x, dy].map((tensor) => writer.reshape(tensor, [rows, channels]));
  const [centre, r] = [mean, inverseStd].map((tensor) => writer.reshape(tensor, [rows, 1]));
  const n = writer.op('Mul', [writer.op('Sub', [flat, centre]), r]);
  const dyN = writer.op('Mul', [dFlat, n]);
  const overRow = (each: string) => {
    const sums = writer.op('MatMul', [each, writer.reshape(scale, [channels, 1])]);
    return writer.op('Mul', [sums, writer.scalar(1 / channels)]);
  };
  const through = writer.op('Mul', [n, overRow(dyN)]);
  const weighted = writer.op('Mul', [dFlat, scale]);
  const less = writer.op('Sub', [writer.op('Sub', [weighted, overRow(dFlat)]), through]);
  const dx = writer.reshape(writer.op('Mul', [less, r]), shape);
  return [dx, writer.reduce('ReduceSum', dyN, [0], false), writer.reduce('ReduceSum', dFlat, [0], false)];
};

export const layerNormLowerings: Lowerings = { layerNorm, layerNormGrad };
