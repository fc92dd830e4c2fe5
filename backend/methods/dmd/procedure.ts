/** Distribution Matching Distillation as it is run: Algorithm 1 of arXiv 2311.18828, stage by stage. */
import type { DeviceTensor, Engine } from '../../engine/engine.ts';
import { inParts } from '../../engine/sharing.ts';
import type { Graph } from '../../graph/graph.ts';
import { packHalfParameters, packParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors } from '../../models/conditions.ts';
import { type DiffusionModel, levelFeeds } from '../../models/diffusion-model.ts';
import { alone, type MicroBatches, microBatchesOf, type Ranks } from '../../ranks/ranks.ts';
import { type DrawPoint, type Draws, drawnAhead, streamDraws } from '../../training/draws.ts';
import { fedAs, Iteration, type Scalars } from '../../training/iteration.ts';
import { LossScale } from '../../training/loss-scale.ts';
import { type Chunks, disposeAll } from '../../training/network-state.ts';
import { firstRows, joinRows } from '../../training/rows.ts';
import { type Stage, StagedProgram } from '../../training/staged-program.ts';
import { TrainedNetwork } from '../../training/trained-network.ts';
import type { Adjustable, Procedure } from '../../training/trainer.ts';
import type { ReferencePairs } from '../common/pairs.ts';
import { GeneratorPrograms } from './generator-programs.ts';
import {
  countOf,
  type DmdShape,
  fakeReport,
  fakeScoreGraph,
  fakeStages,
  generateGraph,
  generatorReport,
  isGuided,
  matchedOf,
  needsTeacher,
  trainsFake,
  unconditionalName,
} from './graphs.ts';
import { type Kept, keptOf, weightsOf } from './kept.ts';
import { type AdjustedSettings, adjustableOf, adjusted, type StepSettings } from './settings.ts';

/** What every procedure with a matching gradient is made of. */
export interface MatchingOptions {
  readonly seed: number;
  readonly conditions: ConditionSource;
  readonly pairs: ReferencePairs | null;
  /** With `halfTeacher` numbers of float16, so that generator and fake score start as the teacher exactly. */
  readonly teacherWeights: ReadonlyMap<string, TensorData>;
  /** Flat parameters that the trained networks start from. */
  readonly start: { readonly generator: Float32Array; readonly fake: Float32Array };
  /** Decays of the averages that are kept of the generator. */
  readonly emas: readonly number[];
  /** Micro-batches per update, on each rank. */
  readonly accumulation: number;
  readonly ranks?: Ranks | undefined;
}

export interface DmdOptions extends DmdShape, MatchingOptions {
  /** Fake-score updates per generator update; those past the first train on newly generated samples. */
  readonly fakeUpdates: number;
  /** Recorded draws, or another method's, in place of the seed's own streams. */
  readonly draws?: Draws;
  settings(step: number): StepSettings;
  /** Good updates before a loss's scale doubles; LossScale's own unless given. */
  readonly scalePatience?: number;
}

/** What is looked at of a procedure between two iterations, whatever else it trains. */
export interface MatchingProcedure extends Procedure {
  readonly generator: TrainedNetwork;
  /** Null in a method without a fake score. */
  readonly fake: TrainedNetwork | null;
  /** The frozen teacher's parameters; [] where nothing needs it. */
  readonly teacher: Chunks;
  /** The generator as it is called after so many iterations, where that changes while it trains. */
  studentAfter?(iterations: number): DiffusionModel;
  /** Whether the generator's optimizer begins anew now and then, as it is meant to. */
  readonly beginsAnew?: boolean;
  /**
   * The generator's gradient of a batch that no iteration has, from draws of its own, at the state after `step`.
   * @param which numbers such batches of one step; the caller owns the chunks
   */
  otherGradient(engine: Engine, step: number, which: number): Promise<Chunks>;
  /** Weights of the generator by the network's parameter names. @param decay of the average; the first unless given */
  generatorWeights(decay?: number): Promise<Map<string, TensorData>>;
}

/** Draws are named by step and micro-batch: those from here on belong to no iteration. */
const beyondMicros = 1_000_000;

/** Samples on the device, and what they are of. */
interface Generated {
  readonly x: DeviceTensor;
  readonly conditions: HostTensors;
}

export class DmdProcedure implements MatchingProcedure {
  readonly networks: readonly TrainedNetwork[];
  readonly imagesPerStep: number;
  readonly recorded: readonly string[];
  readonly updatesPerStep: Readonly<Record<string, number>>;
  readonly adjustable: Adjustable;
  readonly generator: TrainedNetwork;
  readonly fake: TrainedNetwork;
  readonly teacher: Chunks;
  readonly ranks: Ranks | undefined;
  readonly lossScales: ReadonlyMap<string, LossScale>;
  readonly #micros: MicroBatches;
  readonly #options: Kept<DmdOptions>;
  readonly #draws: Draws;
  readonly #programs: Programs;
  /** What guidance starts from, on the device; {} without. */
  readonly #unconditional: Readonly<Record<string, DeviceTensor>>;

  private constructor(
    engine: Engine,
    options: Kept<DmdOptions>,
    teacherChunks: Chunks,
    programs: Programs,
    networks: [TrainedNetwork, TrainedNetwork],
  ) {
    const { seed, student, teacher, conditions, accumulation, fakeUpdates } = options;
    this.#options = options;
    this.#programs = programs;
    this.#draws = options.draws ?? drawnAhead(streamDraws(seed, student.shape, conditions));
    [this.generator, this.fake] = networks;
    this.networks = networks;
    this.ranks = options.ranks;
    const scaled = options.computes === 'float16' ? networks : [];
    this.lossScales = new Map(scaled.map(({ name }) => [name, new LossScale(options.scalePatience)]));
    this.#micros = microBatchesOf(options.ranks ?? alone, accumulation);
    this.imagesPerStep = countOf(options) * this.#micros.of;
    this.updatesPerStep = { fake: fakeUpdates };
    this.adjustable = adjustableOf(options, (step) => options.settings(step));
    this.recorded = [
      ...['x', 'xt', 'muReal', 'muFake', 'grad', 'z'],
      ...Object.keys(teacher.levels.numbers),
      ...conditions.recorded,
    ];
    this.teacher = teacherChunks;
    const guides = options.matching && isGuided(options) ? (conditions.unconditional ?? {}) : {};
    this.#unconditional = Object.fromEntries(
      Object.entries(guides).map(([name, value]) => [unconditionalName(name), engine.upload(copy(value))]),
    );
  }

  static async create(engine: Engine, options: DmdOptions): Promise<DmdProcedure> {
    const kept = keptOf(options);
    const { matching, regression, pairs, emas, accumulation, ranks = alone, fakeUpdates } = kept;
    if (!matching && !regression) throw new Error('both losses are switched off: nothing to train');
    if (regression && !pairs) throw new Error('regression needs noise-image pairs');
    const trains = trainsFake(kept);
    const compile = (name: string, stages: readonly Stage[], graph: (shape: DmdShape) => Graph) =>
      StagedProgram.compile(engine, { name, stages, ...inParts<DmdShape>(kept, graph) });
    const repeats = trains && fakeUpdates > 1;
    const accumulates = microBatchesOf(ranks, accumulation).of > 1;
    const network = (name: 'generator' | 'fake', decays: readonly number[]) =>
      TrainedNetwork.create(engine, {
        ...{ name, layout: kept[name].layout, start: options.start[name], emas: decays, accumulates, ranks },
      });
    // Side by side, where there are cores for it.
    const [generator, fake, fresh, ...networks] = await Promise.all([
      GeneratorPrograms.create(engine, kept),
      trains ? compile('fake score', fakeStages, (shape) => fakeScoreGraph(shape)) : null,
      repeats ? compile('generate', [['generate', ['x']]], (shape) => generateGraph(shape, matchedOf(shape))) : null,
      network('generator', emas),
      network('fake', []),
    ]);
    const teacher = needsTeacher(kept) ? uploadTeacher(engine, options) : [];
    return new DmdProcedure(engine, kept, teacher, { generator, fake, fresh }, networks);
  }

  async iterate(it: Iteration): Promise<void> {
    const { generator, fake } = this;
    const { first, count, of } = this.#micros;
    const updates = this.#programs.fake ? this.#options.fakeUpdates : 0;
    const micros = count * (1 + updates);
    const images = new Map<number, Generated>();
    try {
      for (let done = 0; done < count; done++) {
        const micro = first + done;
        await it.begin(micro, done, micros);
        const conditions = await this.#generatorHalf(it);
        it.report(generatorReport, it.take('report'), 1 / of);
        await generator.accumulate(it.takeChunks('gradient'), 1 / of);
        images.set(micro, { x: it.take('x'), conditions });
      }
      await it.update(generator, this.#settings(it.step).generator, {
        stage: 'generator update',
        norm: 'normGenerator',
        // Samples for further updates of the fake score are made by the generator as it is then.
        last: updates < 2,
      });
      for (let update = 0; update < updates; update++) {
        // Of several updates the last one's numbers are reported.
        const last = update === updates - 1;
        const share = last ? 1 : 0;
        for (let done = 0; done < count; done++) {
          const micro = first + done;
          await it.begin(micro, count * (1 + update) + done, micros);
          const own = images.get(micro)!;
          if (update === 0) images.delete(micro);
          images.set(micro, await this.#fakeHalf(it, { step: it.step, micro, update }, own));
          it.report(fakeReport, it.take('report'), share / of);
          await fake.accumulate(it.takeChunks('gradient'), 1 / of);
        }
        await it.update(fake, this.#settings(it.step).fake, { stage: 'fake update', norm: 'normFake', share, last });
      }
    } finally {
      const last = images.get(it.micro);
      if (last) it.put({ x: last.x, ...last.conditions });
      disposeAll([...images.values()].filter((of) => of !== last).map(({ x }) => x));
    }
  }

  /** Lines 4 to 11: generate, diffuse, both scores, gradient, regression, backward. @returns what the matched samples are of */
  async #generatorHalf(it: Iteration): Promise<HostTensors> {
    const { firstLevel, lastLevel, lambda, guidance } = this.#settings(it.step);
    const { batch, regression, conditions, matching, teacher, pairs } = this.#options;
    const at = { step: it.step, micro: it.micro, update: 0 };
    const { z, rows } = this.#draws.latents(at, batch);
    const own = { z, ...(await conditions.feeds(rows)) };
    const pair = regression && (await pairs!.batch(at.step, at.micro, regression.batch));
    it.put(pair ? joinRows(own, { z: pair.z, ...pair.conditions }) : own);
    const matched = matchedOf(this.#options);
    if (matching) {
      const { indices, noise } = this.#draws.matching(at, matched, { first: firstLevel, last: lastLevel });
      it.put({ ...levelFeeds(teacher.levels, indices), noise });
    }
    if (matching && isGuided(this.#options)) it.put({ guidance: { shape: [], data: Float32Array.of(guidance) } });
    if (pair) it.put({ yRef: pair.y, lambda: { shape: [], data: Float32Array.of(lambda) } });
    await it.stage('draw');
    await it.run(await this.#programs.generator.of(this.#settings(it.step).weight), {
      ...fedAs('generator', this.generator.parameters),
      ...fedAs('fake', this.fake.parameters),
      ...fedAs('teacher', this.teacher),
      ...this.lossScales.get('generator')?.feed(),
      ...this.#unconditional,
    });
    it.free('xRef');
    const kept = firstRows(it.onHostNow(Object.keys(own)), matched);
    it.put(kept);
    const { z: _, ...of } = kept;
    return of;
  }

  /**
   * Lines 12 to 15: the denoising loss of the fake score on samples taken as data; the first update trains on the generator's own.
   * @returns those, as they are now
   */
  async #fakeHalf(it: Iteration, at: DrawPoint, own: Generated): Promise<Generated> {
    const { levels } = this.#options.student;
    const { x, conditions } = at.update === 0 ? own : await this.#freshSamples(at);
    const { indices, noise } = this.#draws.fake(at, matchedOf(this.#options), { first: 0, last: levels.count - 1 });
    it.put({ x, ...conditions, ...levelFeeds(levels, indices, 'Fake'), noiseFake: noise });
    await it.stage('fake-score draw');
    await it.run(this.#programs.fake!, {
      ...fedAs('fake', this.fake.latest),
      ...fedAs('teacher', this.teacher),
      ...this.lossScales.get('fake')?.feed(),
    });
    it.free('xtFake', 'denoisedFake');
    const now = it.take('x');
    if (at.update === 0) return { x: now, conditions };
    now.dispose();
    return own;
  }

  async #freshSamples(at: DrawPoint): Promise<Generated> {
    const { z, rows } = this.#draws.latents(at, matchedOf(this.#options));
    const conditions = await this.#options.conditions.feeds(rows);
    const parameters = { ...fedAs('generator', this.generator.latest), ...fedAs('teacher', this.teacher) };
    const { x } = await this.#programs.fresh!.run({ z, ...conditions, ...parameters });
    return { x: x!, conditions };
  }

  async reconstruct(it: Iteration, micro: number): Promise<void> {
    await it.begin(micro, 0, 1);
    await this.#generatorHalf(it);
  }

  /** Asked for where they are used, so that a change between two stages counts from then on. */
  #settings(step: number): AdjustedSettings {
    return adjusted(this.#options, this.adjustable, this.#options.settings(step));
  }

  async otherGradient(engine: Engine, step: number, which: number): Promise<Chunks> {
    return gradientBeyond(this, engine, step, which);
  }

  async generatorWeights(decay?: number): Promise<Map<string, TensorData>> {
    return weightsOf(this, this.#options, decay);
  }

  rates(step: number): Scalars {
    const { generator, fake, lambda, firstLevel, lastLevel } = this.#settings(step);
    return {
      ...{ 'rate/generator': generator.learningRate, 'rate/fake': fake.learningRate, lambda },
      ...{ 'level/first': firstLevel, 'level/last': lastLevel },
    };
  }

  async dispose(): Promise<void> {
    disposeAll([...this.teacher, ...Object.values(this.#unconditional)]);
    for (const program of Object.values(this.#programs)) await program?.dispose();
  }
}

/** `MatchingProcedure.otherGradient`, for every method whose generator's half can be computed again. */
export async function gradientBeyond(
  procedure: Pick<MatchingProcedure, 'reconstruct'>,
  engine: Engine,
  step: number,
  which: number,
): Promise<Chunks> {
  const iteration = new Iteration(engine, step);
  try {
    await procedure.reconstruct(iteration, beyondMicros + which);
    return iteration.takeChunks('gradient');
  } finally {
    iteration.dispose();
  }
}

interface Programs {
  readonly generator: GeneratorPrograms;
  /** Null where the fake score is not trained: without distribution matching, or with the real score alone. */
  readonly fake: StagedProgram | null;
  /** Fresh samples for further fake-score updates. */
  readonly fresh: StagedProgram | null;
}

/** The frozen teacher on the device, as float16 where the shape says so. */
export function uploadTeacher(
  engine: Engine,
  { teacher: { layout }, teacherWeights, halfTeacher }: Pick<DmdOptions, 'teacher' | 'teacherWeights' | 'halfTeacher'>,
): Chunks {
  return layout.chunks.map((chunk) => {
    const shape = [chunk.size];
    if (halfTeacher) return engine.upload({ shape, halves: packHalfParameters(layout, teacherWeights, chunk) });
    return engine.upload({ shape, data: packParameters(layout, teacherWeights, chunk) });
  });
}

const copy = ({ shape, data }: TensorData): TensorData => ({ shape, data: data.slice() });
