/**
 * The probe: the score fields at fixed noise, fixed labels and a ladder of noise levels, so that two steps of a run can be
 * compared, which the random draws of training do not allow. It has a random stream of its own and only reads the
 * networks' parameters: a run with a probe is bit-equal to one without.
 */
import type { Engine, Feed, Program } from '../../engine/engine.ts';
import { Graph } from '../../graph/graph.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { labelInput } from '../../models/denoiser.ts';
import { stream } from '../../random/stream.ts';
import { generateGraph } from './distill-programs.ts';
import { type MatchingOptions, matchingPart } from './generator-graph.ts';

export interface ProbeOptions extends MatchingOptions {
  readonly generatorSigma: number;
  readonly seed: number;
  /** Images. */
  readonly count: number;
  /** Noise levels, in the order they are recorded. */
  readonly sigmas: readonly number[];
}

/** What a probe is made of, for whatever family of models. */
export interface ProbeParts {
  /** Gives x [N, ...]. */
  readonly generate: Graph;
  /** Gives xt, muReal, muFake and grad [N, ...] of x at one level. */
  readonly scores: Graph;
  /** Fixed inputs of both graphs by name, besides x, the parameters and the level's: each graph takes those that it has. */
  readonly inputs: Readonly<Record<string, TensorData>>;
  /** The graph's inputs of each level, in the order they are recorded. */
  readonly levels: readonly Readonly<Record<string, TensorData>>[];
  /** Recorded beside the fields, `sigma` [L] among them. */
  readonly recorded: Readonly<Record<string, TensorData>>;
}

export interface ProbeReading {
  /**
   * x [N, ...]; xt, muReal, muFake, grad [L, N, ...]; sigma [L]; cosine and residualRatio [L, N]; z and labels. With the
   * real score alone there is no muFake, cosine or residualRatio. The caller owns them all.
   */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Means over the images, one per noise level; [] with the real score alone. */
  readonly cosine: readonly number[];
  readonly residualRatio: readonly number[];
}

export class Probe {
  readonly #parts: ProbeParts;
  readonly #generate: Program;
  readonly #scores: Program;

  private constructor(parts: ProbeParts, generate: Program, scores: Program) {
    this.#parts = parts;
    this.#generate = generate;
    this.#scores = scores;
  }

  /** For EDM's networks. */
  static create(engine: Engine, options: ProbeOptions): Promise<Probe> {
    return Probe.of(engine, edmParts(options));
  }

  static async of(engine: Engine, parts: ProbeParts): Promise<Probe> {
    const generate = await engine.compile(parts.generate, { name: 'probe: generate' });
    return new Probe(parts, generate, await engine.compile(parts.scores, { name: 'probe: scores' }));
  }

  /** Parameters are flat, as the trainer has them. */
  async read(parameters: { generator: Feed; fake: Feed; teacher: Feed }): Promise<ProbeReading> {
    const { inputs, levels, recorded } = this.#parts;
    const feeds = { ...inputs, ...parameters };
    const { x } = await this.#generate.run(taken(this.#generate, feeds));
    const image = { shape: x.shape, data: (await x.read()).slice() };
    const readings: Map<string, Float32Array>[] = [];
    for (const level of levels) {
      const results = await this.#scores.run(taken(this.#scores, { ...feeds, ...level, x }));
      const fields = new Map<string, Float32Array>();
      for (const [name, tensor] of Object.entries(results)) {
        fields.set(name, (await tensor.read()).slice());
        tensor.dispose();
      }
      readings.push(fields);
    }
    x.dispose();
    return assemble(image, readings, recorded);
  }

  async dispose(): Promise<void> {
    await this.#generate.dispose();
    await this.#scores.dispose();
  }
}

function taken({ inputNames }: Program, feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputNames.includes(name)));
}

function edmParts(options: ProbeOptions): ProbeParts {
  const { network, count, generatorSigma, sigmas } = options;
  const inputs = fixedInputs(options);
  const { noise, ...recorded } = inputs;
  return {
    generate: generateGraph(network, count, generatorSigma),
    scores: scoresGraph(options),
    inputs,
    levels: sigmas.map((sigma) => ({ sigma: { shape: [count], data: new Float32Array(count).fill(sigma) } })),
    recorded: { ...recorded, sigma: { shape: [sigmas.length], data: Float32Array.from(sigmas) } },
  };
}

/** Noise z and eps, and the classes in turn: the same eps at every level, so that only the level differs. */
function fixedInputs({ network, seed, count }: ProbeOptions): Record<string, TensorData> {
  const shape = [count, ...network.imageShape];
  const normal = (what: string) => ({ shape, data: stream(seed, 'probe', what).randn(sizeOf(shape)) });
  const labels = { shape: [count, network.labelDim], data: new Float32Array(count * network.labelDim) };
  for (let i = 0; i < count && network.labelDim > 0; i++) {
    labels.data[i * network.labelDim + (i % network.labelDim)] = 1;
  }
  return { z: normal('z'), noise: normal('noise'), ...(network.labelDim > 0 ? { labels } : {}) };
}

function scoresGraph({ network, teacher, matching, count }: ProbeOptions): Graph {
  const graph = new Graph();
  const x = graph.input('x', [count, ...network.imageShape]);
  const labels = labelInput(graph, 'labels', count, network);
  matchingPart(graph, { network, teacher, matching }, x, labels);
  return graph;
}

function copy({ shape, data }: TensorData): TensorData {
  return { shape, data: data.slice() };
}

function assemble(
  x: TensorData,
  levels: readonly Map<string, Float32Array>[],
  recorded: Readonly<Record<string, TensorData>>,
): ProbeReading {
  const [count] = x.shape;
  const tensors = new Map(Object.entries(recorded).map(([name, value]) => [name, copy(value)]));
  tensors.set('x', x);
  for (const name of levels[0].keys()) {
    const data = new Float32Array(levels.length * x.data.length);
    levels.forEach((fields, level) => {
      data.set(fields.get(name)!, level * x.data.length);
    });
    tensors.set(name, { shape: [levels.length, ...x.shape], data });
  }
  if (!tensors.has('muFake')) return { tensors, cosine: [], residualRatio: [] };
  const comparisons = levels.map((fields) => compare(x.data, fields.get('muReal')!, fields.get('muFake')!, count));
  for (const name of ['cosine', 'residualRatio'] as const) {
    const data = Float32Array.from(comparisons.flatMap((comparison) => comparison[name]));
    tensors.set(name, { shape: [levels.length, count], data });
  }
  return {
    tensors,
    cosine: comparisons.map(({ cosine }) => average(cosine)),
    residualRatio: comparisons.map(({ residualRatio }) => average(residualRatio)),
  };
}

/**
 * Per image: the cosine between mu_real - x and mu_fake - x (1 when both scores point the same way), and
 * mean|x - mu_real| / mean|x - mu_fake| (1 when both are equally far).
 */
export function compare(x: Float32Array, muReal: Float32Array, muFake: Float32Array, count: number) {
  const numbers = x.length / count;
  const cosine: number[] = [];
  const residualRatio: number[] = [];
  for (let n = 0; n < count; n++) {
    let [product, realSquares, fakeSquares, realSum, fakeSum] = [0, 0, 0, 0, 0];
    for (let i = n * numbers; i < (n + 1) * numbers; i++) {
      const real = muReal[i] - x[i];
      const fake = muFake[i] - x[i];
      product += real * fake;
      realSquares += real * real;
      fakeSquares += fake * fake;
      realSum += Math.abs(real);
      fakeSum += Math.abs(fake);
    }
    // Equal to 0 only where a score leaves x exactly as it is: then there is no direction to compare.
    cosine.push(product / (Math.sqrt(realSquares * fakeSquares) || 1));
    residualRatio.push(realSum / (fakeSum || 1));
  }
  return { cosine, residualRatio };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
