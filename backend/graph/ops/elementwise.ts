/**
 * Element-wise operations. Binary ones broadcast as NumPy does. Comparisons give 1 or 0.
 */
import type { OpType, Tensor } from '../graph.ts';
import { broadcastShapes } from '../shapes.ts';
import { apply1, asTensor, defineOp, type Operand, sameAsFirst } from './define.ts';

const unaryOp = (name: string): OpType => defineOp(name, sameAsFirst);
const binaryOp = (name: string): OpType => defineOp(name, ([a, b]) => [broadcastShapes(a, b)]);

function unary(name: string): (x: Tensor) => Tensor {
  const type = unaryOp(name);
  return (x) => apply1(type, [x]);
}

function binary(name: string): (a: Operand, b: Operand) => Tensor {
  const type = binaryOp(name);
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') throw new Error(`${name} of two numbers needs no graph`);
    const graph = typeof a === 'number' ? (b as Tensor).graph : a.graph;
    return apply1(type, [asTensor(a, graph), asTensor(b, graph)]);
  };
}

export const neg = unary('neg');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const sin = unary('sin');
export const cos = unary('cos');
export const abs = unary('abs');
/** -1, 0 or 1. */
export const sign = unary('sign');
export const sigmoid = unary('sigmoid');
export const tanh = unary('tanh');
export const relu = unary('relu');
/** x * sigmoid(x). */
export const silu = unary('silu');
/** x * Phi(x), Phi the normal distribution function: the exact form, by the error function. */
export const gelu = unary('gelu');
/** Passes its input on; gradients stop here. */
export const detach = unary('detach');
export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const maximum = binary('maximum');
export const minimum = binary('minimum');
/** 1 where a > b, else 0. */
export const greater = binary('greater');
/** 1 where a == b, else 0. */
export const equal = binary('equal');
const siluGradOp = defineOp('siluGrad', sameAsFirst);
/** d silu(x)/dx * dy, given y = silu(x); a single op so that engines can lower it well. All of one shape. */
export const siluGrad = (x: Tensor, y: Tensor, dy: Tensor) => apply1(siluGradOp, [x, y, dy]);
const geluGradOp = defineOp('geluGrad', sameAsFirst);
/** d gelu(x)/dx * dy. */
export const geluGrad = (x: Tensor, dy: Tensor) => apply1(geluGradOp, [x, dy]);
/** x * sigmoid(1.702 x), CLIP's approximation of gelu. */
export const quickGelu = (x: Tensor) => mul(x, sigmoid(mul(x, 1.702)));
export const square = (x: Tensor) => mul(x, x);
