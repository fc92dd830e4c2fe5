/**
 * Consistency distillation as it is run, stage by stage: noise on real images, the teacher's step to a lower level, generator and target
 * at both ends, the generator's update and with it the target's.
 */
import type { DeviceTensor, Engine } from '../../engine/engine.ts';
import { inParts } from '../../engine/sharing.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { levelFeeds } from '../../models/diffusion-model.ts';
import { alone, type MicroBatches, microBatchesOf } from '../../ranks/ranks.ts';
import { fedAs, type Iteration, type Scalars } from '../../training/iteration.ts';
import { type Chunks, disposeAll } from '../../training/network-state.ts';
import { StagedProgram } from '../../training/staged-program.ts';
import { TrainedNetwork } from '../../training/trained-network.ts';
import type { Adjustable } from '../../training/trainer.ts';
import type { RealImages } from '../common/real-source.ts';
import { isGuided, unconditionalName } from '../dmd/graphs.ts';
import { type Kept, keptOf, weightsOf } from '../dmd/kept.ts';
import { gradientBeyond, type MatchingOptions, type MatchingProcedure, uploadTeacher } from '../dmd/procedure.ts';
import { type ConsistencyDraws, streamConsistencyDraws } from './draws.ts';
import { type ConsistencyShape, consistencyGraph, report, stages } from './graphs.ts';
import { adjustableOf, adjusted, type ConsistencySettings } from './settings.ts';

export interface ConsistencyOptions extends ConsistencyShape, Omit<MatchingOptions, 'pairs' | 'start'> {
  /** Flat parameters that generator and target start from. */
  readonly start: Pick<MatchingOptions['start'], 'generator'>;
  readonly real: Pick<RealImages, 'batch'>;
  /** Recorded draws in place of the seed's own streams. */
  readonly draws?: ConsistencyDraws;
  settings(step: number): ConsistencySettings;
}

export class ConsistencyProcedure implements MatchingProcedure {
  readonly networks: readonly TrainedNetwork[];
  readonly imagesPerStep: number;
  readonly recorded: readonly string[];
  readonly adjustable: Adjustable;
  readonly generator: TrainedNetwork;
  readonly fake = null;
  readonly teacher: Chunks;
  readonly ranks: ConsistencyOptions['ranks'];
  readonly #micros: MicroBatches;
  readonly #options: Kept<ConsistencyOptions>;
  readonly #draws: ConsistencyDraws;
  readonly #program: StagedProgram;
  /** What guidance starts from, on the device; {} without. */
  readonly #unconditional: Readonly<Record<string, DeviceTensor>>;

  private constructor(
    engine: Engine,
    options: Kept<ConsistencyOptions>,
    teacherChunks: Chunks,
    program: StagedProgram,
    generator: TrainedNetwork,
  ) {
    const { seed, student, conditions, accumulation, target } = options;
    this.#options = options;
    this.#program = program;
    this.#draws = options.draws ?? streamConsistencyDraws(seed, student.shape);
    this.generator = generator;
    this.networks = [generator];
    this.ranks = options.ranks;
    this.#micros = microBatchesOf(options.ranks ?? alone, accumulation);
    this.imagesPerStep = options.batch * this.#micros.of;
    this.adjustable = adjustableOf({ target, guidance: isGuided(options) }, (step) => options.settings(step));
    const numbers = Object.keys(student.levels.numbers);
    this.recorded = [
      ...['x', 'xTarget', 'xt', 'muReal', 'xNext', 'xReal', ...numbers, ...numbers.map((name) => `${name}Next`)],
      ...conditions.recorded,
    ];
    this.teacher = teacherChunks;
    const guides = isGuided(options) ? (conditions.unconditional ?? {}) : {};
    this.#unconditional = Object.fromEntries(
      Object.entries(guides).map(([name, { shape, data }]) => [
        unconditionalName(name),
        engine.upload({ shape, data: data.slice() }),
      ]),
    );
  }

  static async create(engine: Engine, options: ConsistencyOptions): Promise<ConsistencyProcedure> {
    const kept = keptOf(options);
    const { emas, accumulation, ranks = alone, target, start } = options;
    const program = await StagedProgram.compile(engine, {
      ...{ name: 'generator', stages },
      ...inParts(kept, consistencyGraph),
    });
    const generator = await TrainedNetwork.create(engine, {
      ...{ name: 'generator', layout: options.generator.layout, start: start.generator, emas, target, ranks },
      accumulates: microBatchesOf(ranks, accumulation).of > 1,
    });
    return new ConsistencyProcedure(engine, kept, uploadTeacher(engine, options), program, generator);
  }

  async iterate(it: Iteration): Promise<void> {
    const { first, count, of } = this.#micros;
    for (let done = 0; done < count; done++) {
      await it.begin(first + done, done, count);
      await this.#compute(it);
      it.report(report, it.take('report'), 1 / of);
      await this.generator.accumulate(it.takeChunks('gradient'), 1 / of);
    }
    const { generator, targetDecay } = this.#settings(it.step);
    const emaDecays = [...generator.emaDecays, ...(this.#options.target ? [targetDecay] : [])];
    await it.update(
      this.generator,
      { ...generator, emaDecays },
      { stage: 'generator update', norm: 'normGenerator', last: true },
    );
  }

  /** Everything of a micro-batch, up to the gradient. */
  async #compute(it: Iteration): Promise<void> {
    const { batch, steps, student, real, target } = this.#options;
    const at = { step: it.step, micro: it.micro, update: 0 };
    const { indices, noise } = this.#draws.step(at, batch, { first: 0, last: steps.length - 1 });
    const { x, conditions } = await real.batch(at, batch, 'given');
    const drawn = indices.map((index) => steps[index]!);
    const [high, low] = [drawn.map(({ from }) => from), drawn.map(({ to }) => to)];
    it.put({ xReal: x, ...conditions, noise });
    it.put({ ...levelFeeds(student.levels, high), ...levelFeeds(student.levels, low, 'Next') });
    if (isGuided(this.#options)) it.put({ guidance: this.#guidance(it, batch) });
    await it.stage('draw');
    await it.run(this.#program, {
      ...fedAs('generator', this.generator.parameters),
      ...(target ? fedAs('target', this.generator.target) : {}),
      ...fedAs('teacher', this.teacher),
      ...this.#unconditional,
    });
  }

  #guidance({ step, micro }: Iteration, batch: number): TensorData {
    const data = this.#draws.guidance({ step, micro, update: 0 }, batch, this.#settings(step).guidance);
    return { shape: [batch], data };
  }

  async reconstruct(it: Iteration, micro: number): Promise<void> {
    await it.begin(micro, 0, 1);
    await this.#compute(it);
  }

  /** Asked for where they are used, so that a change between two stages counts from then on. */
  #settings(step: number): ConsistencySettings {
    return adjusted(this.adjustable, this.#options.settings(step));
  }

  async otherGradient(engine: Engine, step: number, which: number): Promise<Chunks> {
    return gradientBeyond(this, engine, step, which);
  }

  async generatorWeights(decay?: number): Promise<Map<string, TensorData>> {
    return weightsOf(this, this.#options, decay);
  }

  rates(step: number): Scalars {
    const { generator, targetDecay } = this.#settings(step);
    return {
      'rate/generator': generator.learningRate,
      ...(this.#options.target ? { 'target/decay': targetDecay } : {}),
    };
  }

  async dispose(): Promise<void> {
    disposeAll([...this.teacher, ...Object.values(this.#unconditional)]);
    await this.#program.dispose();
  }
}
