/**
 * Writes a graph as an ONNX model: names its inputs and outputs as the graph does and lowers, in order, every node that
 * an output depends on.
 */
import type { Graph, Node, Tensor } from '../graph.ts';
import { type LoweringCapabilities, portable } from './capabilities.ts';
import { computeInHalves } from './half-compute.ts';
import { type InputView, inputViews } from './input-views.ts';
import { attentionLowerings } from './lower/attention.ts';
import { convLowerings } from './lower/conv.ts';
import { kernelInputs } from './lower/conv-blocked.ts';
import { elementwiseLowerings } from './lower/elementwise.ts';
import { embeddingLowerings } from './lower/embedding.ts';
import { headAttentionLowerings } from './lower/head-attention.ts';
import { layerNormLowerings } from './lower/layer-norm.ts';
import { layoutLowerings } from './lower/layout.ts';
import type { Lowerings } from './lower/lowering.ts';
import { matmulLowerings } from './lower/matmul.ts';
import { normalizeLowerings } from './lower/normalize.ts';
import { poolLowerings } from './lower/pool.ts';
import { resampleLowerings } from './lower/resample.ts';
import { encodeModel, type OnnxInputType, type OnnxModel } from './proto.ts';
import { OnnxWriter } from './writer.ts';

/** The ONNX operator set all lowerings are written for. */
const opset = 18;
/** Scale and shift of a group normalisation are those of channels from here on. */
const groupNormOpset = 21;

export const lowerings: Lowerings = {
  ...elementwiseLowerings,
  ...layoutLowerings,
  ...convLowerings,
  ...resampleLowerings,
  ...poolLowerings,
  ...normalizeLowerings,
  ...matmulLowerings,
  ...attentionLowerings,
  ...layerNormLowerings,
  ...embeddingLowerings,
  ...headAttentionLowerings,
  input: (writer, { attrs }) => [writer.input(attrs.name as string)],
  constant: (writer, node) => [writer.floats(node.attrs.shape as number[], node.attrs.data as Float32Array)],
  detach: (_writer, _node, [x]) => [x],
};

export interface EmitOptions {
  /** What to count on. Default: `portable`. */
  capabilities?: LoweringCapabilities;
  /** Takes kernels that are inputs in the blocked layout (`LoweredGraph.blockedInputs`), instead of bringing them there at every run. */
  blocksKernels?: boolean;
  /**
   * Declares the shapes that values are brought into as inputs that nobody has to feed. ONNX Runtime cannot tell the shapes
   * of values then, and gives the memory of each back after its last use. Where it can, it plans which value
   * lies in the memory of which one before it, of the very same shape, and keeps that memory from the first one to the last: a value
   * of the backward pass that takes the place of one of the forward pass holds it all the time in between. How many axes they have
   * is not said either: with their number known it would look for such a place among all values before, in vain, which takes time
   * with the square of the graph (9,465 nodes: 35 s in place of 2).
   */
  hidesShapes?: boolean;
  /** Takes ranges of inputs as inputs of their own, where the graph takes nothing else of them (`LoweredGraph.views`). */
  viewsInputs?: boolean;
  /** Key-value strings stored in the file. */
  metadata?: Record<string, string>;
  /** Inputs that are fed with whole numbers, as other programs expect of token ids. Default: the graph's. */
  inputTypes?: Readonly<Record<string, OnnxInputType>>;
}

export interface LoweredGraph extends OnnxModel {
  /** Names of the inputs that must be fed in the blocked layout. */
  readonly blockedInputs: ReadonlySet<string>;
  /** Inputs that are ranges of the graph's own, which are declared no more. */
  readonly views: readonly InputView[];
}

/** The bytes of an .onnx file. Inputs that no output depends on stay declared, so that feeds are the graph's inputs. */
export function emitOnnx(graph: Graph, options: EmitOptions = {}): Uint8Array {
  return encodeModel(lowerGraph(graph, options));
}

/** What `emitOnnx` writes, not yet as bytes. */
export function lowerGraph(graph: Graph, options: EmitOptions = {}): LoweredGraph {
  const { blocksKernels = false, hidesShapes = false, viewsInputs = false, metadata = {}, inputTypes = {} } = options;
  const inHalves = graph.computes === 'float16';
  const capabilities = { ...(options.capabilities ?? portable), ...(inHalves ? { channelBlock: 0 } : {}) };
  if (graph.outputs.size === 0) throw new Error('a graph without outputs computes nothing');
  const needed = neededNodes(graph);
  const results = [...graph.outputs.values()];
  const blockedInputs = blocksKernels ? kernelInputs(capabilities.channelBlock, needed, results) : new Set<string>();
  const read = new Set([...results, ...needed.flatMap(({ inputs }) => inputs)]);
  const writer = new OnnxWriter(capabilities, { blockedInputs, inputTypes, read });
  const names = new Map<Tensor, string>();
  const viewed = viewsInputs ? inputViews(graph, needed) : new Map<Node, InputView>();
  for (const [{ outputs }, { name }] of viewed) names.set(outputs[0]!, name);
  for (const node of needed) {
    if (viewed.has(node)) continue;
    const lower = lowerings[node.type.name];
    if (!lower) throw new Error(`no ONNX form for ${node.type.name}`);
    const outputs = lower(
      writer,
      node,
      node.inputs.map((input) => names.get(input)!),
    );
    node.outputs.forEach((output, i) => {
      names.set(output, outputs[i]);
    });
  }
  nameOutputs(graph, writer, names);
  // Of equal ranges one is declared.
  const views = [...new Map(Array.from(viewed.values(), (view) => [view.name, view])).values()];
  const written = inHalves
    ? computeInHalves({ ...namesOf(graph, views), nodes: writer.nodes, initializers: writer.initializers })
    : writer;
  const { nodes, initializers } = used(written, graph.outputs.keys());
  const hidden = hidesShapes ? shapesOf(nodes) : new Set<string>();
  const ownDomains = new Set(nodes.flatMap(({ domain }) => (domain ? [domain] : [])));
  const groups = nodes.some(({ opType }) => opType === 'GroupNormalization');
  const opsets = [
    { domain: '', version: groups ? groupNormOpset : opset },
    ...Array.from(ownDomains, (domain) => ({ domain, version: 1 })),
  ];
  return {
    nodes,
    initializers,
    inputs: [
      ...[...graph.inputs]
        .filter(([name]) => views.every(({ input }) => input !== name))
        .map(([name, { shape, type }]) => ({ name, shape, type: inputTypes[name] ?? type })),
      ...views.map(({ name, count, type }) => ({ name, shape: [count], type })),
      ...initializers
        .filter(({ name }) => hidden.has(name))
        .map(({ name }) => ({ name, shape: [null], type: 'int64' as const })),
    ],
    outputs: [...graph.outputs].map(([name, tensor]) => ({
      ...{ name, shape: tensor.shape },
      type: tensor.type,
    })),
    opsets,
    metadata,
    blockedInputs,
    views,
  };
}

function namesOf({ inputs, outputs }: Graph, views: readonly InputView[]) {
  const all = [...Array.from(inputs, ([name, { type }]) => ({ name, type })), ...views];
  const floats = all.filter(({ type }) => type === 'float32');
  return { inputs: new Set(floats.map(({ name }) => name)), outputs: new Set(outputs.keys()) };
}

/** Nodes that some output depends on, in the graph's order. */
function neededNodes(graph: Graph): Node[] {
  const needed = new Set([...graph.outputs.values()].map((tensor) => tensor.node));
  const result: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!needed.has(node)) continue;
    result.push(node);
    for (const input of node.inputs) needed.add(input.node);
  }
  return result.reverse();
}

/**
 * Without the nodes that no output depends on, such as those for a second result that nobody asked for. ONNX Runtime runs
 * them too, after all others, and keeps until then what they read.
 */
function used({ nodes, initializers }: Pick<OnnxWriter, 'nodes' | 'initializers'>, outputs: Iterable<string>) {
  const wanted = new Set(outputs);
  const kept = nodes.toReversed().filter((node) => {
    const needed = node.outputs.some((output) => wanted.has(output));
    if (needed) for (const input of node.inputs) wanted.add(input);
    return needed;
  });
  return { nodes: kept.reverse(), initializers: initializers.filter(({ name }) => wanted.has(name)) };
}

/** Names of the constants that values are brought into the shape of. */
function shapesOf(nodes: OnnxModel['nodes']): Set<string> {
  return new Set(nodes.flatMap(({ opType, inputs }) => (opType === 'Reshape' ? [inputs[1]!] : [])));
}

/** Gives results their public names: in place where the value is a node's own, through Identity otherwise. */
function nameOutputs(graph: Graph, writer: OnnxWriter, names: ReadonlyMap<Tensor, string>): void {
  const produced = new Set(writer.nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  for (const [name, tensor] of graph.outputs) {
    const internal = names.get(tensor)!;
    if (produced.has(internal) && !renamed.has(internal)) renamed.set(internal, name);
    else
      writer.nodes.push({
        name: `out_${name}`,
        opType: 'Identity',
        domain: '',
        inputs: [internal],
        outputs: [name],
        attributes: {},
      });
  }
  for (const node of writer.nodes) {
    node.inputs = node.inputs.map((input) => renamed.get(input) ?? input);
    node.outputs = node.outputs.map((output) => renamed.get(output) ?? output);
  }
}
