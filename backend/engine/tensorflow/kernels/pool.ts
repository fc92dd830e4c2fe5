/** Pooling, tap by tap: the window's k-th pixels of all positions are one strided slice of the padded image. */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../graph/graph.ts';
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

interface Window {
  size: number;
  stride: number;
  padding: number;
}

function taps(tf: Tf, x: Tensor, attrs: Attributes, border: number): Tensor[] {
  const { size, stride, padding } = attrs as unknown as Window;
  const around: [number, number] = [padding, padding];
  const image = tf.pad(x as Tensor4D, [[0, 0], [0, 0], around, around], border);
  const [batch, channels, height, width] = image.shape;
  const [lastTop, lastLeft] = [height - size, width - size].map((room) => Math.floor(room / stride) * stride);
  return Array.from({ length: size * size }, (_, k) => {
    const [top, left] = [Math.floor(k / size), k % size];
    const ends = [batch, channels, top + lastTop + 1, left + lastLeft + 1];
    return tf.stridedSlice(image, [0, 0, top, left], ends, [1, 1, stride, stride]);
  });
}

const maxPool2d: Kernel = (tf, [x], attrs) =>
  taps(tf, x, attrs, Number.NEGATIVE_INFINITY).reduce((a, b) => tf.maximum(a, b));

/** The sum of the pixels over how many there are. */
const averagePool2d: Kernel = (tf, [x], attrs) =>
  tf.div(tf.addN(taps(tf, x, attrs, 0)), tf.addN(taps(tf, tf.onesLike(x), attrs, 0)));

export const poolKernels: Kernels = { maxPool2d, averagePool2d };
