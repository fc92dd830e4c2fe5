/** Fixed-filter resampling by two: a strided convolution of each channel on its own, and its transpose. */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../graph/graph.ts';
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

interface Filter {
  taps: number[];
  gain: number;
  pad: number;
}

const filterOf = (attrs: Attributes) => attrs as unknown as Filter;

/** outer(taps, taps) / sum(taps)^2 * gain as a kernel [k, k, 1, 1]. */
function kernelOf(tf: Tf, { taps, gain }: Filter): Tensor4D {
  const column = tf.tensor2d(taps, [taps.length, 1]);
  const factor = gain / taps.reduce((a, b) => a + b, 0) ** 2;
  const square = tf.mul(tf.matMul(column, column, false, true), factor);
  return tf.reshape(square, [taps.length, taps.length, 1, 1]);
}

/** [B, C, H, W] -> [B C, H, W, 1]. */
function channelsAsBatch(tf: Tf, x: Tensor): Tensor4D {
  const [batch, channels, height, width] = x.shape as number[];
  return tf.reshape(x, [batch * channels, height, width, 1]);
}

const downsample2: Kernel = (tf, [x], attrs) => {
  const filter = filterOf(attrs);
  const around: [number, number] = [filter.pad, filter.pad];
  const images = tf.pad(channelsAsBatch(tf, x), [[0, 0], around, around, [0, 0]]);
  const y: Tensor4D = tf.conv2d(images, kernelOf(tf, filter), 2, 'valid');
  const [batch, channels] = x.shape as number[];
  return tf.reshape(y, [batch, channels, y.shape[1], y.shape[2]]);
};

const upsample2: Kernel = (tf, [x], attrs) => {
  const filter = filterOf(attrs);
  const [batch, channels, height, width] = x.shape as number[];
  const k = filter.taps.length;
  const images = batch * channels;
  const [fullHeight, fullWidth] = [(height - 1) * 2 + k, (width - 1) * 2 + k];
  const full = tf.conv2dTranspose(
    channelsAsBatch(tf, x),
    kernelOf(tf, filter),
    [images, fullHeight, fullWidth, 1],
    2,
    'valid',
  );
  const [outHeight, outWidth] = [fullHeight - 2 * filter.pad, fullWidth - 2 * filter.pad];
  const kept = tf.slice(full, [0, filter.pad, filter.pad, 0], [images, outHeight, outWidth, 1]);
  return tf.reshape(kept, [batch, channels, outHeight, outWidth]);
};

export const resampleKernels: Kernels = { downsample2, upsample2 };
