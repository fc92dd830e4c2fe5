/** Resampling by two in ONNX: a box filter is pooling or repetition, every other filter a per-channel convolution. */
import type { Node } from '../../graph.ts';
import type { OnnxWriter } from '../writer.ts';
import type { Lowering, Lowerings } from './lowering.ts';

interface Filter {
  taps: number[];
  gain: number;
  pad: number;
}

const filterOf = (node: Node) => node.attrs as unknown as Filter;
const isBox = ({ taps, pad }: Filter) => taps.length === 2 && taps[0] === taps[1] && pad === 0;

function times(writer: OnnxWriter, x: string, factor: number): string {
  return factor === 1 ? x : writer.op('Mul', [x, writer.scalar(factor)]);
}

/** outer(taps, taps) / sum(taps)^2 * gain for every channel, [C, 1, k, k]. */
function kernel(writer: OnnxWriter, { taps, gain }: Filter, channels: number): string {
  const k = taps.length;
  return writer.shared(`filter ${[gain, channels, ...taps]}`, [channels, 1, k, k], () => {
    const total = taps.reduce((a, b) => a + b, 0) ** 2;
    const one = taps.flatMap((a) => taps.map((b) => (a * b * gain) / total));
    const data = new Float32Array(channels * k * k);
    for (let c = 0; c < channels; c++) data.set(one, c * k * k);
    return data;
  });
}

function convAttributes({ taps, pad }: Filter, channels: number) {
  const k = taps.length;
  return { strides: [2, 2], pads: [pad, pad, pad, pad], group: channels, kernel_shape: [k, k] };
}

const downsample2: Lowering = (writer, node, [x]) => {
  const filter = filterOf(node);
  if (isBox(filter)) {
    return [times(writer, writer.op('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] }), filter.gain)];
  }
  const channels = node.inputs[0].shape[1];
  return [writer.op('Conv', [x, kernel(writer, filter, channels)], convAttributes(filter, channels))];
};

const upsample2: Lowering = (writer, node, [x]) => {
  const filter = filterOf(node);
  if (isBox(filter)) {
    const scales = writer.floats([4], Float32Array.of(1, 1, 2, 2));
    const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return [times(writer, writer.op('Resize', [x, '', scales], attributes), filter.gain / 4)];
  }
  const channels = node.inputs[0].shape[1];
  return [writer.op('ConvTranspose', [x, kernel(writer, filter, channels)], convAttributes(filter, channels))];
};

export const resampleLowerings: Lowerings = { downsample2, upsample2 };
