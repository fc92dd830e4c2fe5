/** The form of reverse-mode gradient rules. */
import type { Node, Tensor } from '../graph.ts';

/** What a rule sees of its node; inside a recomputation region the tensors are the recomputed ones. */
export type NodeView = Pick<Node, 'inputs' | 'outputs' | 'attrs'>;

/**
 * Given d loss / d output for each output (null where the loss does not depend on it), returns d loss / d input for
 * each input, or null for "none". `needed[i]` is false where the gradient of input i is not asked for. At least one of
 * the given gradients is not null.
 */
export type GradientRule = (
  node: NodeView,
  gradients: readonly (Tensor | null)[],
  needed: readonly boolean[],
) => readonly (Tensor | null)[];

/** Rules by op name; null where gradients stop by definition. An op without an entry cannot be differentiated. */
export type GradientRules = Readonly<Record<string, GradientRule | null>>;

/** A rule for an op with one output. */
export function rule1(
  rule: (node: NodeView, dy: Tensor, needed: readonly boolean[]) => readonly (Tensor | null)[],
): GradientRule {
  return (node, [dy], needed) => (dy ? rule(node, dy, needed) : node.inputs.map(() => null));
}
