/**
 * Runs a graph node by node. A tensor is freed after its last use; what the program returns belongs to the caller, what
 * it was fed stays the caller's, and constants live as long as the program.
 */
import type { Graph, Tensor as GraphTensor, Node } from '../../graph/graph.ts';
import {
  type Declared,
  type DeviceTensor,
  declared,
  type Feed,
  type Program,
  RunEnded,
  type RunOptions,
} from '../engine.ts';
import { kernels } from './kernels/index.ts';
import type { Tensor, Tf } from './kernels/kernel.ts';
import { nativeOf, TensorflowTensor } from './tensor.ts';

export interface ProgramHost {
  readonly tf: Tf;
  /** Makes this engine's backend the current one; TensorFlow.js has one for the whole process. */
  activate(): Promise<void>;
  forget(program: Program): void;
}

export class TensorflowProgram implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly #host: ProgramHost;
  readonly #graph: Graph;
  readonly #name: string;
  readonly #steps: readonly Step[];
  #constants: Map<GraphTensor, Tensor> | null;

  constructor(host: ProgramHost, graph: Graph, name: string) {
    this.#host = host;
    this.#graph = graph;
    this.#name = name;
    this.inputs = declared(graph.inputs);
    this.outputs = declared(graph.outputs);
    const nodes = neededNodes(graph);
    this.#steps = stepsOf(graph, nodes);
    this.#constants = new Map(
      nodes
        .filter((node) => node.type.name === 'constant')
        .map((node) => {
          const data = Float32Array.from(node.attrs.data as Float32Array);
          return [node.outputs[0], host.tf.tensor(data, [...node.outputs[0].shape], 'float32')];
        }),
    );
  }

  async run(feeds: Readonly<Record<string, Feed>>, { signal }: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    RunEnded.throwIf(signal, this.#name);
    const constants = this.#constants;
    if (!constants) throw new Error(`program '${this.#name}' was disposed`);
    const { tf } = this.#host;
    await this.#host.activate();
    const values = new Map(constants);
    // Everything made during this run: freed at its last use, or all at once if a node fails.
    const owned = new Set<Tensor>();
    try {
      for (const [name, input] of this.#graph.inputs) {
        const { tensor, temporary } = nativeOf(tf, this.#name, name, input, feeds[name]);
        if (temporary) owned.add(tensor);
        values.set(input, tensor);
      }
      for (const { node, free } of this.#steps) {
        this.#runNode(node, values, owned);
        for (const tensor of free) {
          const value = values.get(tensor)!;
          values.delete(tensor);
          if (owned.delete(value)) value.dispose();
        }
      }
      return Object.fromEntries(
        [...this.#graph.outputs].map(([name, tensor]) => [
          name,
          new TensorflowTensor(tf, tf.clone(values.get(tensor)!), tensor.type),
        ]),
      );
    } finally {
      for (const tensor of owned) tensor.dispose();
    }
  }

  async dispose(): Promise<void> {
    this.#host.forget(this);
    for (const tensor of this.#constants?.values() ?? []) tensor.dispose();
    this.#constants = null;
  }

  #runNode(node: Node, values: Map<GraphTensor, Tensor>, owned: Set<Tensor>): void {
    const { tf } = this.#host;
    const inputs = node.inputs.map((input) => values.get(input)!);
    const results = tf.tidy(() => [kernels[node.type.name](tf, inputs, node.attrs)].flat());
    for (const result of results) owned.add(result);
    node.outputs.forEach((output, i) => {
      if (results[i]?.shape.join() !== output.shape.join()) {
        throw new Error(`${node.type.name} in '${node.scope}' gave [${results[i]?.shape}] for [${output.shape}]`);
      }
      values.set(output, results[i]);
    });
  }
}

/** One node to run, and the tensors that nothing needs after it. */
interface Step {
  readonly node: Node;
  readonly free: readonly GraphTensor[];
}

function stepsOf(graph: Graph, nodes: readonly Node[]): Step[] {
  const seen = new Set<GraphTensor>(graph.outputs.values());
  const steps: Step[] = [];
  for (const node of nodes.toReversed()) {
    if (node.type.name === 'input' || node.type.name === 'constant') continue;
    if (!kernels[node.type.name]) throw new Error(`no TensorFlow kernel for ${node.type.name}`);
    const last = [...new Set([...node.outputs, ...node.inputs])].filter((tensor) => !seen.has(tensor));
    for (const tensor of last) seen.add(tensor);
    steps.push({ node, free: last });
  }
  return steps.reverse();
}

/** Nodes that some output depends on, in the graph's order. */
function neededNodes(graph: Graph): Node[] {
  const needed = new Set([...graph.outputs.values()].map((tensor) => tensor.node));
  for (const node of graph.nodes.toReversed()) {
    if (needed.has(node)) for (const input of node.inputs) needed.add(input.node);
  }
  return graph.nodes.filter((node) => needed.has(node));
}
