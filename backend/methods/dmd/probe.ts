/**
 * The probe: the score fields at fixed noise, fixed conditions and a ladder of noise levels, so that two steps of a run can be
 * compared, which the random draws of training do not allow. It has a random stream of its own and only reads the
 * networks' parameters: a run with a probe is bit-equal to one without.
 */
import type { Engine, Feed } from '../../engine/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors } from '../../models/conditions.ts';
import { levelFeeds } from '../../models/diffusion-model.ts';
import { stream } from '../../random/stream.ts';
import { fedAs } from '../../training/iteration.ts';
import { type DmdShape, generateGraph, scoresGraph } from './graphs.ts';
import { type ScoredNetworks, ScorePrograms, unconditionalFeeds } from './score-programs.ts';

export interface ProbeOptions {
  readonly seed: number;
  /** Images. */
  readonly count: number;
  /** Noise levels by index, in the order they are recorded. */
  readonly levels: readonly number[];
}

export interface ProbeReading {
  /**
   * x [N, ...]; xt, muReal, muFake, grad [L, N, ...]; the levels' numbers, e.g. sigma, [L]; cosine and residualRatio [L, N]; z and
   * classes. With the real score alone there is no muFake, cosine or residualRatio. The caller owns them all.
   */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Means over the images, one per noise level; [] with the real score alone. */
  readonly cosine: readonly number[];
  readonly residualRatio: readonly number[];
}

/** The probe's two graphs. */
export function probeGraphs(shape: DmdShape, count: number): { generate: Graph; scores: Graph } {
  return { generate: generateGraph(shape, count), scores: scoresGraph(shape, count) };
}

export class Probe {
  readonly #shape: DmdShape;
  readonly #options: ProbeOptions;
  readonly #programs: ScorePrograms;
  /** z, noise and conditions. */
  readonly #inputs: HostTensors;
  readonly #recorded: readonly string[];

  private constructor(
    shape: DmdShape,
    options: ProbeOptions,
    programs: ScorePrograms,
    inputs: HostTensors,
    recorded: readonly string[],
  ) {
    this.#shape = shape;
    this.#options = options;
    this.#programs = programs;
    this.#inputs = inputs;
    this.#recorded = recorded;
  }

  /** @param conditions taken in turn: the same noise and the same conditions at every level, so that only the level differs */
  static async create(
    engine: Engine,
    shape: DmdShape,
    conditions: ConditionSource,
    options: ProbeOptions,
  ): Promise<Probe> {
    const { seed, count } = options;
    const programs = await ScorePrograms.compile(engine, probeGraphs(shape, count), 'probe');
    const sample = [count, ...shape.student.shape];
    const normal = (what: string) => ({ shape: sample, data: stream(seed, 'probe', what).randn(sizeOf(sample)) });
    const inputs = { z: normal('z'), noise: normal('noise'), ...(await conditions.feeds(conditions.inTurn(count))) };
    const all = { ...inputs, ...unconditionalFeeds(shape, conditions) };
    return new Probe(shape, options, programs, all, ['z', ...conditions.recorded]);
  }

  /** Of networks as they are. */
  async read(parameters: ScoredNetworks): Promise<ProbeReading> {
    const { levels, count } = this.#options;
    const feeds: Record<string, Feed> = { ...this.#inputs };
    for (const [name, chunks] of Object.entries(parameters)) Object.assign(feeds, fedAs(name, chunks));
    const x = await this.#programs.generate(feeds);
    const image = { shape: x.shape, data: (await x.read()).slice() };
    const readings: Map<string, Float32Array>[] = [];
    for (const level of levels) {
      const at = levelFeeds(this.#shape.teacher.levels, Array(count).fill(level));
      readings.push(await this.#programs.scores({ ...feeds, ...at, x }));
    }
    x.dispose();
    const own = this.#recorded.flatMap((name) => (this.#inputs[name] ? [[name, this.#inputs[name]!] as const] : []));
    const ladder = levelFeeds(this.#shape.teacher.levels, levels);
    return assemble(image, readings, { ...Object.fromEntries(own), ...ladder });
  }

  async dispose(): Promise<void> {
    await this.#programs.dispose();
  }
}

function assemble(x: TensorData, levels: readonly Map<string, Float32Array>[], recorded: HostTensors): ProbeReading {
  const [count] = x.shape as [number];
  const tensors = new Map(
    Object.entries(recorded).map(([name, { shape, data }]): [string, TensorData] => [
      name,
      { shape, data: data.slice() },
    ]),
  );
  tensors.set('x', x);
  for (const name of levels[0]!.keys()) {
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
      const real = muReal[i]! - x[i]!;
      const fake = muFake[i]! - x[i]!;
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
