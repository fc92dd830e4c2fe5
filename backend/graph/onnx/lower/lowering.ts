/** The form of lowering rules: one graph node to ONNX operators. */
import type { Node } from '../../graph.ts';
import type { OnnxWriter } from '../writer.ts';

/** Writes `node` with its inputs under the given names; returns the names of its outputs. */
export type Lowering = (writer: OnnxWriter, node: Node, inputs: string[]) => string[];
export type Lowerings = Readonly<Record<string, Lowering>>;
