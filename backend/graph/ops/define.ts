/** What operations are made of: a type (name and shape rule), applied to tensors of one graph. */
import type { Attributes, Graph, OpType, Shape, Tensor } from '../graph.ts';

/** @param typed what the output holds; left out where inputs and outputs are float32 */
export function defineOp(name: string, infer: OpType['infer'], typed?: OpType['typed']): OpType {
  return typed ? { name, infer, typed } : { name, infer };
}

/** Applies an op with a single output. */
export function apply1(type: OpType, inputs: readonly Tensor[], attrs: Attributes = {}): Tensor {
  return inputs[0].graph.apply(type, inputs, attrs)[0];
}

/** The output has the first input's shape. */
export const sameAsFirst = ([x]: readonly Shape[]) => [x];

/** A tensor or a number that becomes a scalar constant of the same graph. */
export type Operand = Tensor | number;

export function asTensor(operand: Operand, graph: Graph): Tensor {
  return typeof operand === 'number' ? graph.scalar(operand) : operand;
}
