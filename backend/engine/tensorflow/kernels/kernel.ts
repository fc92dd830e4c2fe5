/**
 * The form of a kernel: one operation of the graph, computed with TensorFlow.js straight from the operation's
 * definition. These kernels are what the tests hold every other executor against, so they are clear before they are
 * fast, and share nothing with the ONNX lowering.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Attributes, Shape } from '../../../graph/graph.ts';

/** The functions of TensorFlow.js, from whichever package was loaded. */
export type Tf = typeof import('@tensorflow/tfjs-core');
export type { Tensor };

/**
 * Inputs are only read. Every result is a new handle, never an input's own, so that each can be disposed once.
 * Intermediate tensors are collected by the caller's `tf.tidy`.
 */
export type Kernel = (tf: Tf, inputs: Tensor[], attrs: Attributes) => Tensor | Tensor[];
export type Kernels = Readonly<Record<string, Kernel>>;

/** TensorFlow.js wants mutable shapes. */
export const mutable = (shape: Shape): number[] => [...shape];
