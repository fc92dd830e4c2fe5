/**
 * Both scores of one image, with everything between x and its gradient, at a chosen noise level and along a ladder of them. Reads
 * the networks' parameters and nothing else of a run: one that is inspected has the bits of one that is left alone.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Engine, Feed, Program } from '../../../engine/engine.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { TensorData } from '../../../graph/tensor-data.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { Inspection, InspectionQuery } from '../../../protocol/inspection.ts';
import type { FieldTensor } from '../../../protocol/rpc/runs.ts';
import { fedAs } from '../../../training/iteration.ts';
import type { InspectionHow } from '../../../training/session.ts';
import { rgbProjection } from '../../common/rgb-projection.ts';
import { type DmdShape, generateGraph, scoresGraph } from '../graphs.ts';
import { type ScoredNetworks, ScorePrograms, unconditionalFeeds } from '../score-programs.ts';
import { type ChosenLevel, chooseLevel } from './levels.ts';
import { measure } from './measure.ts';
import { type ChosenSample, chooseSample, type SampleOptions } from './sample.ts';

export interface InspectorOptions extends Omit<SampleOptions, 'shape'> {
  readonly shape: DmdShape;
  /** From a sample [1, ...] to its picture; null where it is one. */
  openDecoder(): Promise<Graph | null>;
}

export interface ScoreOptions extends InspectionHow {
  readonly step: number;
  readonly level: ChosenLevel;
  readonly strip: readonly ChosenLevel[];
  readonly stepSize: number;
}

type Fields = ReadonlyMap<string, Float32Array>;

export class ScoreInspector {
  readonly #options: InspectorOptions;
  readonly #programs: ScorePrograms;
  readonly #decoder: Program | null;

  private constructor(options: InspectorOptions, programs: ScorePrograms, decoder: Program | null) {
    this.#options = options;
    this.#programs = programs;
    this.#decoder = decoder;
  }

  /** @param options a shape with distribution matching */
  static async create(engine: Engine, options: InspectorOptions): Promise<ScoreInspector> {
    const { shape } = options;
    const graphs = { generate: generateGraph(shape, 1), scores: scoresGraph(shape, 1, { unguided: true }) };
    const programs = await ScorePrograms.compile(engine, graphs, 'inspector');
    const decode = await options.openDecoder();
    return new ScoreInspector(options, programs, decode && (await engine.compile(decode, { name: 'decoder' })));
  }

  /**
   * @param step iterations done in the state that the networks are of; noted in the answer, whose numbers are the caller's
   * @throws UserError: 'usage' for what the query asks and there is not, 'cancelled'
   */
  async inspect(
    networks: ScoredNetworks,
    query: InspectionQuery,
    how: InspectionHow & { readonly step: number },
  ): Promise<Inspection> {
    const { shape } = this.#options;
    const { levels } = shape.teacher;
    const level = chooseLevel(levels, query.level);
    const strip = query.strip.map((value) => chooseLevel(levels, { by: 'index', value }));
    const sample = await chooseSample({ ...this.#options, shape: shape.student.shape }, query);
    return this.score(networks, sample, { ...how, level, strip, stepSize: query.stepSize });
  }

  /** The same of given noise, conditions and levels. */
  async score(
    networks: ScoredNetworks,
    sample: ChosenSample,
    { step, level, strip, stepSize, signal, onProgress }: ScoreOptions,
  ): Promise<Inspection> {
    const { shape, conditions } = this.#options;
    const feeds: Record<string, Feed> = {
      ...{ z: sample.z, noise: sample.noise, ...sample.conditions },
      ...unconditionalFeeds(shape, conditions.source),
    };
    for (const [name, chunks] of Object.entries(networks)) Object.assign(feeds, fedAs(name, chunks));
    const image = await this.#programs.generate(feeds);
    try {
      const x = (await image.read()).slice();
      const total = 1 + strip.length;
      const scored = async (at: ChosenLevel, done: number) => {
        if (signal?.aborted) throw new UserError('cancelled', 'the inspection was stopped');
        onProgress?.(done, total);
        const found = await this.#programs.scores({ ...feeds, ...at.feeds, x: image });
        // The real score alone takes x for the generator's distribution.
        if (!found.has('muFake')) found.set('muFake', x.slice());
        await turn(); // a cancellation arrives now
        return found;
      };
      const fields = await scored(level, 0);
      const ladder: Fields[] = [];
      for (const [i, at] of strip.entries()) ladder.push(await scored(at, 1 + i));
      onProgress?.(total, total);
      return {
        ...{ step, class: sample.class, prompt: sample.prompt, level: level.numbers },
        tensors: await this.#single(x, fields, level, stepSize),
        levels: strip.map(({ numbers }) => numbers),
        strip: this.#strip(x, ladder, strip),
        notes: this.#notes(sample),
      };
    } finally {
      image.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.#programs.dispose();
    await this.#decoder?.dispose();
  }

  async #single(x: Float32Array, fields: Fields, level: ChosenLevel, stepSize: number): Promise<FieldTensor[]> {
    const { shape } = this.#options.shape.student;
    const grad = fields.get('grad')!;
    const stepped = x.map((value, i) => value - stepSize * grad[i]!);
    const { weight } = measure(this.#options.shape.matching!.weight, { x, fields, level: level.numbers });
    const all = new Map([['x', x], ...fields, ['stepped', stepped]]);
    const tensors = [...all].map(([name, data]) => tensor(name, shape, data));
    tensors.push(tensor('weight', [1], Float32Array.of(weight)));
    if (!this.#decoder) return tensors;
    const decoded = await this.#decoded(['x', 'muReal', 'muFake', 'stepped'], all);
    const [first] = decoded;
    const projection = rgbProjection({ shape, data: x }, first!);
    return [...tensors, ...decoded, tensor('projection', projection.shape, projection.data)];
  }

  async #decoded(names: readonly string[], all: Fields): Promise<FieldTensor[]> {
    const decoded: FieldTensor[] = [];
    for (const name of names) {
      const x = { shape: [1, ...this.#options.shape.student.shape], data: all.get(name)!.slice() };
      const { images } = await this.#decoder!.run({ x });
      decoded.push(tensor(`decoded/${name}`, images!.shape.slice(1), (await images!.read()).slice()));
      images!.dispose();
    }
    return decoded;
  }

  #strip(x: Float32Array, ladder: readonly Fields[], levels: readonly ChosenLevel[]): FieldTensor[] {
    if (ladder.length === 0) return [];
    const { matching, student } = this.#options.shape;
    const measured = ladder.map((fields, i) => measure(matching!.weight, { x, fields, level: levels[i]!.numbers }));
    const stacked = [...ladder[0]!.keys()].map((name) => {
      const data = new Float32Array(ladder.length * x.length);
      for (const [i, fields] of ladder.entries()) data.set(fields.get(name)!, i * x.length);
      return tensor(name, [ladder.length, ...student.shape], data);
    });
    const curves = Object.keys(measured[0]!) as (keyof (typeof measured)[0])[];
    return [
      ...stacked,
      ...curves.map((name) =>
        tensor(
          name,
          [ladder.length],
          Float32Array.from(measured, (of) => of[name]),
        ),
      ),
    ];
  }

  #notes({ prompt }: ChosenSample): string[] {
    const { matching } = this.#options.shape;
    const notes: string[] = [];
    if (matching?.realOnly) {
      notes.push('this run is the ablation without a fake score: mu_fake is x itself (matching.realOnly)');
    }
    if (prompt === '') notes.push('the prompt is empty: guidance adds nothing');
    return notes;
  }
}

function tensor(name: string, shape: readonly number[], data: TensorData['data']): FieldTensor {
  return { name, shape: [...shape], data };
}
