/**
 * Two-dimensional convolution and its gradients. TensorFlow.js has images last-channel (NHWC) and kernels HWIO; padding
 * is made explicit with zeros, so that its own convolutions are always 'valid'. Groups are separate convolutions.
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../graph/graph.ts';
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

interface Geometry {
  stride: number;
  /** top, left, bottom, right */
  padding: number[];
  groups: number;
}

const geometryOf = (attrs: Attributes) => attrs as unknown as Geometry;
const toNhwc = (tf: Tf, x: Tensor) => tf.transpose(x as Tensor4D, [0, 2, 3, 1]);
const toNchw = (tf: Tf, x: Tensor4D) => tf.transpose(x, [0, 3, 1, 2]);
const toHwio = (tf: Tf, w: Tensor) => tf.transpose(w as Tensor4D, [2, 3, 1, 0]);

function padded(tf: Tf, nhwc: Tensor4D, [top, left, bottom, right]: readonly number[]): Tensor4D {
  return tf.pad(nhwc, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]);
}

/** Cuts both tensors into `groups` parts, along the given axes, and joins what `compute` makes of each pair. */
function perGroup(
  tf: Tf,
  groups: number,
  [a, axisA]: [Tensor, number],
  [b, axisB]: [Tensor, number],
  joinAxis: number,
  compute: (a: Tensor, b: Tensor) => Tensor,
): Tensor {
  const partsA = tf.split(a, groups, axisA);
  const partsB = tf.split(b, groups, axisB);
  return tf.concat(
    partsA.map((part, g) => compute(part, partsB[g])),
    joinAxis,
  );
}

const conv2d: Kernel = (tf, [x, w, bias], attrs) => {
  const { stride, padding, groups } = geometryOf(attrs);
  const y = perGroup(tf, groups, [x, 1], [w, 0], 1, (image, kernel) =>
    toNchw(tf, tf.conv2d(padded(tf, toNhwc(tf, image), padding), toHwio(tf, kernel), stride, 'valid')),
  );
  return bias ? tf.add(y, tf.reshape(bias, [1, -1, 1, 1])) : y;
};

const conv2dInputGrad: Kernel = (tf, [dy, w], attrs) => {
  const { stride, padding, groups } = geometryOf(attrs);
  const [top, left, bottom, right] = padding;
  const [batch, channels, height, width] = attrs.shape as number[];
  const paddedShape: [number, number, number, number] = [
    batch,
    height + top + bottom,
    width + left + right,
    channels / groups,
  ];
  return perGroup(tf, groups, [dy, 1], [w, 0], 1, (gradient, kernel) => {
    const full = tf.conv2dTranspose(toNhwc(tf, gradient), toHwio(tf, kernel), paddedShape, stride, 'valid');
    return toNchw(tf, tf.slice(full, [0, top, left, 0], [batch, height, width, channels / groups]));
  });
};

const conv2dWeightGrad: Kernel = (tf, [x, dy], attrs) => {
  const { stride, padding, groups } = geometryOf(attrs);
  const [outChannels, inChannels, kh, kw] = attrs.shape as number[];
  return perGroup(tf, groups, [x, 1], [dy, 1], 0, (image, gradient) => {
    const hwio = tf.engine().runKernel(
      'Conv2DBackpropFilter',
      { x: padded(tf, toNhwc(tf, image), padding), dy: toNhwc(tf, gradient) },
      {
        strides: [stride, stride],
        pad: 'valid',
        dataFormat: 'NHWC',
        filterShape: [kh, kw, inChannels, outChannels / groups],
      },
    ) as Tensor4D;
    return tf.transpose(hwio, [3, 2, 0, 1]);
  });
};

export const convKernels: Kernels = { conv2d, conv2dInputGrad, conv2dWeightGrad };
