/**
 * The probe: the score fields at fixed noise, fixed labels and a ladder of noise levels, so that two steps of a run can be
 * compared, which the random draws of training do not allow. It has a random stream of its own and only reads the
 * networks' parameters: a run with a probe is bit-equal to one without.
 */
import type { Engine, Feed, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';
import { type Denoiser, labelInput } from './denoiser.ts';
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
  readonly #options: ProbeOptions;
  readonly #generate: Program;
  readonly #scores: Program;
  readonly #inputs: { z: TensorData; labels?: TensorData; noise: TensorData };

  private constructor(options: ProbeOptions, generate: Program, scores: Program) {
    this.#options = options;
    this.#generate = generate;
    this.#scores = scores;
    this.#inputs = fixedInputs(options);
  }

  static async create(engine: Engine, options: ProbeOptions): Promise<Probe> {
    const { network, count, generatorSigma } = options;
    const generate = await engine.compile(generateGraph(network, count, generatorSigma), { name: 'probe: generate' });
    return new Probe(options, generate, await engine.compile(scoresGraph(options), { name: 'probe: scores' }));
  }

  /** Parameters are flat, as the trainer has them. */
  async read(parameters: { generator: Feed; fake: Feed; teacher: Feed }): Promise<ProbeReading> {
    const { network, count, sigmas, matching } = this.#options;
    const { z, labels, noise } = this.#inputs;
    const { x } = await this.#generate.run({ generator: parameters.generator, z, ...(labels ? { labels } : {}) });
    const image = (await x.read()).slice();
    const levels: Map<string, Float32Array>[] = [];
    for (const sigma of sigmas) {
      const results = await this.#scores.run({
        x,
        noise,
        teacher: parameters.teacher,
        sigma: { shape: [count], data: new Float32Array(count).fill(sigma) },
        ...(labels ? { labels } : {}),
        ...(matching.realOnly ? {} : { fake: parameters.fake }),
      });
      const fields = new Map<string, Float32Array>();
      for (const [name, tensor] of Object.entries(results)) {
        fields.set(name, (await tensor.read()).slice());
        tensor.dispose();
      }
      levels.push(fields);
    }
    x.dispose();
    const inputs = { z: copy(z), ...(labels ? { labels: copy(labels) } : {}) };
    return assemble(image, levels, inputs, { network, count, sigmas });
  }

  async dispose(): Promise<void> {
    await this.#generate.dispose();
    await this.#scores.dispose();
  }
}

/** Noise z and eps, and the classes in turn: the same eps at every level, so that only the level differs. */
function fixedInputs({ network, seed, count }: ProbeOptions) {
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
  x: Float32Array,
  levels: readonly Map<string, Float32Array>[],
  inputs: Record<string, TensorData>,
  { network, count, sigmas }: { network: Denoiser; count: number; sigmas: readonly number[] },
): ProbeReading {
  const image = [count, ...network.imageShape];
  const tensors = new Map<string, TensorData>(Object.entries(inputs));
  tensors.set('x', { shape: image, data: x });
  tensors.set('sigma', { shape: [sigmas.length], data: Float32Array.from(sigmas) });
  for (const name of levels[0].keys()) {
    const data = new Float32Array(sigmas.length * x.length);
    levels.forEach((fields, level) => {
      data.set(fields.get(name)!, level * x.length);
    });
    tensors.set(name, { shape: [sigmas.length, ...image], data });
  }
  if (!tensors.has('muFake')) return { tensors, cosine: [], residualRatio: [] };
  const comparisons = levels.map((fields) => compare(x, fields.get('muReal')!, fields.get('muFake')!, count));
  for (const name of ['cosine', 'residualRatio'] as const) {
    const data = Float32Array.from(comparisons.flatMap((comparison) => comparison[name]));
    tensors.set(name, { shape: [sigmas.length, count], data });
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
