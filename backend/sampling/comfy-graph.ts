/**
 * Prompt and seed in a graph of ComfyUI, as it was run (`prompt`) or as its editor has it (`workflow`): nodes with inputs, of
 * which some are links to other nodes. The texts are those that the links of a sampler lead to.
 */
import { parseJson } from '../protocol/json.ts';

export interface GraphWords {
  readonly prompt: string | null;
  readonly negative: string | null;
  /** Decimal digits: it may have 64 bits. */
  readonly seed: string | null;
}

type JsonObject = Readonly<Record<string, unknown>>;

interface GraphNode {
  readonly type: string;
  /** A value, or [id of a node, number of its output]. */
  readonly inputs: JsonObject;
}

type Graph = ReadonlyMap<string, GraphNode>;

/** Between a sampler and its texts there are a few. */
const mostNodes = 500;
const seedNames = ['seed', 'noise_seed', 'noise', 'value'];
const textNames = [
  ...['conditioning', 'conditioning_1', 'text', 'text_g', 'text_l', 't5xxl', 'clip_l'],
  ...['populated_text', 'prompt', 'string', 'value'],
];

/** @returns null for what is no such graph */
export function readComfyGraph(json: string | undefined): GraphWords | null {
  const parsed = json === undefined ? null : parseLoosely(json);
  const graph = isObject(parsed) ? (graphOfWorkflow(parsed) ?? graphOfPrompt(parsed)) : null;
  if (!graph) return null;
  const samplers = [...graph.values()].map(({ inputs }) => inputs).filter(isSampler);
  // A second sampler goes over the picture of the first, with less than all of the noise.
  const isFirst = ({ denoise, add_noise }: JsonObject) => Number(denoise ?? 1) === 1 && add_noise !== 'disable';
  const sampler = samplers.find(isFirst) ?? samplers[0] ?? {};
  const guider = nodeOf(graph, sampler.guider)?.inputs ?? {};
  const words = (value: unknown, side: string) => follow(graph, value, [side, ...textNames], asWords);
  const seeds = seedNames.map((name) => follow(graph, sampler[name], seedNames, asSeed));
  return {
    prompt: words(sampler.positive ?? guider.positive ?? guider.conditioning, 'positive'),
    negative: words(sampler.negative ?? guider.negative, 'negative'),
    seed: seeds.find((seed) => seed !== null) ?? null,
  };
}

function isSampler({ seed, noise_seed, noise, positive, guider }: JsonObject): boolean {
  return (seed ?? noise_seed ?? noise) !== undefined && (positive ?? guider) !== undefined;
}

/** The first value that the links lead to over inputs of these names, and that reads as something. */
function follow(
  graph: Graph,
  value: unknown,
  names: readonly string[],
  read: (value: unknown) => string | null,
  seen = new Set<GraphNode>(),
): string | null {
  const node = nodeOf(graph, value);
  if (!node) return read(value);
  // What is set to zero is no text, whatever it was.
  if (seen.has(node) || seen.size >= mostNodes || /ZeroOut/.test(node.type)) return null;
  seen.add(node);
  for (const name of names) {
    const found = follow(graph, node.inputs[name], names, read, seen);
    if (found !== null) return found;
  }
  return null;
}

function nodeOf(graph: Graph, value: unknown): GraphNode | undefined {
  return Array.isArray(value) && value.length === 2 ? graph.get(String(value[0])) : undefined;
}

const asWords = (value: unknown) => (typeof value === 'string' ? value : null);
const asSeed = (value: unknown) => (/^\d+$/.test(String(value)) ? String(value) : null);

function graphOfPrompt(json: JsonObject): Graph | null {
  const nodes = Object.entries(json).flatMap(([id, node]): [string, GraphNode][] =>
    isObject(node) && typeof node.class_type === 'string' && isObject(node.inputs)
      ? [[id, { type: node.class_type, inputs: node.inputs }]]
      : [],
  );
  return nodes.length > 0 ? new Map(nodes) : null;
}

/** What the editor's nodes hold without saying its name, in order; '' is of no use here. */
const widgets: Readonly<Record<string, readonly string[]>> = {
  KSampler: ['seed', '', '', '', '', '', 'denoise'],
  KSamplerAdvanced: ['add_noise', 'noise_seed'],
  SamplerCustom: ['add_noise', 'noise_seed'],
  RandomNoise: ['noise_seed'],
  CLIPTextEncode: ['text'],
  CLIPTextEncodeFlux: ['clip_l', 't5xxl'],
  CLIPTextEncodeSDXL: ['', '', '', '', '', '', 'text_g', 'text_l'],
};

function graphOfWorkflow({ nodes, links }: JsonObject): Graph | null {
  if (!Array.isArray(nodes) || !Array.isArray(links)) return null;
  const origins = new Map(links.filter(Array.isArray).map(([id, from, output]) => [id, [from, output]]));
  const graph = nodes.filter(isObject).map(({ id, type, inputs, widgets_values: held }): [string, GraphNode] => {
    const values = Array.isArray(held) ? held : [];
    const names = widgets[String(type)] ?? ['value'];
    const own = names.flatMap((name, i) => (name !== '' && i < values.length ? [[name, values[i]]] : []));
    const linked = (Array.isArray(inputs) ? inputs : []).filter(isObject).flatMap(({ name, link }) => {
      const origin = origins.get(link);
      // What only passes a link on does not name it.
      return origin ? [[name === '' ? 'value' : String(name), origin]] : [];
    });
    return [String(id), { type: String(type), inputs: Object.fromEntries([...own, ...linked]) }];
  });
  return new Map(graph);
}

/** JSON as Python writes it, with NaN; whole numbers that are too large for JavaScript become texts. Null for what is none. */
export function parseLoosely(json: string): unknown {
  const words = /"[^"\\]*(?:\\.[^"\\]*)*"|NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const strict = json.replaceAll(words, (word) => {
    if (/^(NaN|-?Infinity)$/.test(word)) return 'null';
    return /^\d+$/.test(word) && !Number.isSafeInteger(Number(word)) ? `"${word}"` : word;
  });
  try {
    return parseJson(strict);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
