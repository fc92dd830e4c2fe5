/**
 * Values that cost a pass or two over an image, and that a gradient computes again instead of keeping: a normalisation's result, SiLU
 * of it, and that made larger. Of the three images that lie between one convolution and the next, only the centred one is kept,
 * from which the others follow. The copies wait for the gradient that first asks for them, as those of a region do
 * (recompute.ts), by a barrier around the normalisation's scale: a few numbers instead of an image.
 */
import type { Tensor } from './graph.ts';
import { apply1 } from './ops/define.ts';
import type { NodeView } from './ops/gradient-rule.ts';
import { normalizedAgain } from './ops/normalize.ts';
import { barrierOp } from './recompute.ts';

/** Computed again where what they are computed from is. */
const passedThrough = new Set(['silu', 'upsample2']);

export class CheapValues {
  readonly #copies = new Map<Tensor, Tensor>();

  /** What a gradient rule should see in place of `view`. @param trigger the gradient that arrives at the node */
  view({ inputs, outputs, attrs }: NodeView, trigger: Tensor): NodeView {
    const again = (tensor: Tensor) => this.#again(tensor, trigger) ?? tensor;
    return { inputs: inputs.map(again), outputs: outputs.map(again), attrs };
  }

  /** Null where the value itself is taken. */
  #again(tensor: Tensor, trigger: Tensor): Tensor | null {
    const known = this.#copies.get(tensor);
    if (known) return known;
    const { node, index, graph } = tensor;
    // Whoever recomputes a whole region has copies of its own.
    if (node.region !== 0) return null;
    let copy: Tensor | null = null;
    if (node.type.name === 'groupNorm' && index === 0) {
      const [, scale, shift] = node.inputs as [Tensor, Tensor, Tensor];
      const [, centred, inverseStd] = node.outputs as [Tensor, Tensor, Tensor];
      const later = apply1(barrierOp, [scale, trigger]);
      copy = graph.scope(`again.${node.scope}`, () => normalizedAgain(centred, inverseStd, later, shift));
    } else if (passedThrough.has(node.type.name)) {
      const from = this.#again(node.inputs[0]!, trigger);
      if (from) copy = graph.scope(`again.${node.scope}`, () => apply1(node.type, [from], node.attrs));
    }
    if (copy) this.#copies.set(tensor, copy);
    return copy;
  }
}
