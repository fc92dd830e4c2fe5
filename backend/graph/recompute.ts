/**
 * Recomputation regions (gradient checkpointing, Chen et al. 2016, arXiv 1604.06174). When the gradient first reaches a
 * region, the region's nodes are appended again. Their inputs pass through a `barrier` that also depends on the arriving
 * gradient; without it an engine would be free to run the copy early and keep its values alive, or to merge it with the
 * first one. They wait for the gradients of the regions before too: an engine may leave those of weights, on which nothing
 * depends, to the end, and would hold until then what they are computed from.
 */
import type { Graph, Node, Tensor } from './graph.ts';
import { apply1, defineOp, sameAsFirst } from './ops/define.ts';
import type { NodeView } from './ops/gradient-rule.ts';

/** Inputs (value, trigger); output is the value, available only once the trigger is. */
export const barrierOp = defineOp('barrier', sameAsFirst);

export class Recomputation {
  readonly #regions = new Map<number, Map<Tensor, Tensor>>();

  readonly #waitedFor = new Set<Tensor>();

  readonly #graph: Graph;

  readonly #finished: () => readonly Tensor[];

  /** @param finished the gradients of weights so far */
  constructor(graph: Graph, finished: () => readonly Tensor[]) {
    this.#graph = graph;
    this.#finished = finished;
  }

  /** The node as its gradient rule should see it: in a region, with recomputed inputs and outputs. */
  view(node: Node, trigger: Tensor): NodeView {
    if (node.region === 0) return node;
    let copies = this.#regions.get(node.region);
    if (!copies) {
      copies = this.#copyRegion(node.region, this.#after(trigger));
      this.#regions.set(node.region, copies);
    }
    const again = (tensor: Tensor) => copies.get(tensor) ?? tensor;
    return { inputs: node.inputs.map(again), outputs: node.outputs.map(again), attrs: node.attrs };
  }

  /** A number that is there once the trigger and every gradient finished so far is. */
  #after(trigger: Tensor): Tensor {
    const all = [trigger, ...this.#finished().filter((gradient) => !this.#waitedFor.has(gradient))];
    for (const tensor of all) this.#waitedFor.add(tensor);
    return all.reduce((token, tensor) => apply1(barrierOp, [token, tensor]), this.#graph.constant([], [0]));
  }

  #copyRegion(region: number, trigger: Tensor): Map<Tensor, Tensor> {
    const copies = new Map<Tensor, Tensor>();
    const nodes = this.#graph.nodes.filter((node) => node.region === region);
    for (const node of nodes) {
      const inputs = node.inputs.map((input) => {
        if (input.node.region !== region && !copies.has(input) && input.node.type.name !== 'constant') {
          copies.set(input, apply1(barrierOp, [input, trigger]));
        }
        return copies.get(input) ?? input;
      });
      const outputs = this.#graph.scope(`again.${node.scope}`, () => this.#graph.apply(node.type, inputs, node.attrs));
      node.outputs.forEach((output, i) => {
        copies.set(output, outputs[i]);
      });
    }
    return copies;
  }
}
