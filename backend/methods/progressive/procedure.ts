/**
 * Progressive distillation as it is run (arXiv 2202.00512, Algorithm 2): the student learns to arrive in one step where its teacher does in
 * two; at the end of a stage it becomes the teacher. The teacher is the student's target, held within a stage: so a checkpoint has both.
 */
import type { Engine } from '../../engine/engine.ts';
import { inParts } from '../../engine/sharing.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { DiffusionModel } from '../../models/diffusion-model.ts';
import { alone, type MicroBatches, microBatchesOf } from '../../ranks/ranks.ts';
import { fedAs, type Iteration, type Scalars } from '../../training/iteration.ts';
import { type Chunks, disposeAll } from '../../training/network-state.ts';
import { adjustableUpdate, adjustedUpdate } from '../../training/schedule.ts';
import { StagedProgram } from '../../training/staged-program.ts';
import { TrainedNetwork } from '../../training/trained-network.ts';
import type { Adjustable } from '../../training/trainer.ts';
import type { UpdateSettings } from '../../training/update-graph.ts';
import type { RealImages } from '../common/real-source.ts';
import { type Kept, keptOf, weightsOf } from '../dmd/kept.ts';
import { gradientBeyond, type MatchingOptions, type MatchingProcedure, uploadTeacher } from '../dmd/procedure.ts';
import { type ProgressiveDraws, streamProgressiveDraws } from './draws.ts';
import {
  hasOwnTeacher,
  type ProgressiveShape,
  progressiveGraph,
  progressiveReport,
  progressiveStages,
} from './graphs.ts';
import { type Stage, type Step, stageAt, studentOf } from './stages.ts';

export interface ProgressiveOptions extends ProgressiveShape, Omit<MatchingOptions, 'pairs' | 'start'> {
  readonly stages: readonly Stage[];
  /** Flat parameters that the student starts from: the teacher's, where it is the same network. */
  readonly start: Float32Array;
  readonly real: Pick<RealImages, 'batch'>;
  /** Recorded draws in place of the seed's own streams. */
  readonly draws?: ProgressiveDraws;
  /** The target's decay last. */
  settings(step: number): UpdateSettings;
}

const optimizer = 'generator';

export class ProgressiveProcedure implements MatchingProcedure {
  readonly networks: readonly TrainedNetwork[];
  readonly imagesPerStep: number;
  readonly recorded: readonly string[];
  readonly adjustable: Adjustable;
  readonly generator: TrainedNetwork;
  readonly fake = null;
  readonly beginsAnew = true;
  readonly teacher: Chunks;
  readonly ranks: ProgressiveOptions['ranks'];
  readonly #micros: MicroBatches;
  readonly #options: Kept<ProgressiveOptions>;
  readonly #draws: ProgressiveDraws;
  /** With the run's own teacher where that is another network, and with an earlier student. */
  readonly #programs: { readonly first: StagedProgram | null; readonly later: StagedProgram | null };

  private constructor(
    options: Kept<ProgressiveOptions>,
    teacherChunks: Chunks,
    programs: { readonly first: StagedProgram | null; readonly later: StagedProgram | null },
    generator: TrainedNetwork,
  ) {
    const { seed, student, conditions, accumulation } = options;
    this.#options = options;
    this.#programs = programs;
    this.#draws = options.draws ?? streamProgressiveDraws(seed, student.shape);
    this.generator = generator;
    this.networks = [generator];
    this.ranks = options.ranks;
    this.#micros = microBatchesOf(options.ranks ?? alone, accumulation);
    this.imagesPerStep = options.batch * this.#micros.of;
    const natural = (step: number) => adjustableUpdate(optimizer, options.settings(step));
    this.adjustable = { natural, overrides: new Map() };
    this.recorded = ['x', 'xTarget', 'xt', 'muReal', 'xReal', 'sigma', 'sigmaNext', ...conditions.recorded];
    this.teacher = teacherChunks;
  }

  static async create(engine: Engine, options: ProgressiveOptions): Promise<ProgressiveProcedure> {
    const kept = keptOf(options);
    const { emas, accumulation, ranks = alone, start, stages } = options;
    const compile = (first: boolean) =>
      StagedProgram.compile(engine, {
        ...{ name: 'student', stages: progressiveStages },
        ...inParts<ProgressiveShape>(kept, (shape) => progressiveGraph(shape, first)),
      });
    const own = hasOwnTeacher(kept);
    const [first, later, generator] = await Promise.all([
      own ? compile(true) : null,
      own && stages.length === 1 ? null : compile(false),
      TrainedNetwork.create(engine, {
        ...{ name: 'generator', layout: options.generator.layout, start, emas, target: true },
        ...{ accumulates: microBatchesOf(ranks, accumulation).of > 1, ranks },
      }),
    ]);
    return new ProgressiveProcedure(kept, own ? uploadTeacher(engine, options) : [], { first, later }, generator);
  }

  async iterate(it: Iteration): Promise<void> {
    const { generator } = this;
    const { first, count, of } = this.#micros;
    for (let done = 0; done < count; done++) {
      await it.begin(first + done, done, count);
      await this.#compute(it);
      it.report(progressiveReport, it.take('report'), 1 / of);
      await generator.accumulate(it.takeChunks('gradient'), 1 / of);
    }
    await it.update(generator, this.#settings(it.step), {
      stage: 'generator update',
      norm: 'normGenerator',
      last: true,
    });
  }

  async #compute(it: Iteration): Promise<void> {
    const { batch, real } = this.#options;
    const at = { step: it.step, micro: it.micro, update: 0 };
    const { steps } = this.#stage(it.step);
    const drawn = this.#draws.which(at, batch, steps.length).map((i) => steps[i]!);
    const { x, conditions } = await real.batch(at, batch, 'given');
    const of = (level: (step: Step) => number) => ({ shape: [batch], data: Float32Array.from(drawn, level) });
    it.put({
      ...{ xReal: x, ...conditions, noise: this.#draws.noise(at, batch), sigma: of((step) => step.at) },
      ...{ sigmaMiddle: of((step) => step.middle), sigmaNext: of((step) => step.next) },
    });
    await it.stage('draw');
    const own = this.#programs.first !== null && this.#stage(it.step) === this.#options.stages[0];
    await it.run(own ? this.#programs.first! : this.#programs.later!, {
      ...fedAs('generator', this.generator.parameters),
      ...fedAs('teacher', own ? this.teacher : this.generator.target),
    });
    it.free('noise', 'xMiddle', 'sigmaMiddle');
  }

  async reconstruct(it: Iteration, micro: number): Promise<void> {
    await it.begin(micro, 0, 1);
    await this.#compute(it);
  }

  #stage(step: number): Stage {
    return stageAt(this.#options.stages, step);
  }

  /** Asked for where they are used, so that a change between two stages counts from then on. */
  #settings(step: number): UpdateSettings {
    return adjustedUpdate(optimizer, this.#options.settings(step), this.adjustable.overrides);
  }

  studentAfter(iterations: number): DiffusionModel {
    return studentOf(this.#options.student, this.#stage(iterations));
  }

  async otherGradient(engine: Engine, step: number, which: number): Promise<Chunks> {
    return gradientBeyond(this, engine, step, which);
  }

  async generatorWeights(decay?: number): Promise<Map<string, TensorData>> {
    return weightsOf(this, this.#options, decay);
  }

  rates(step: number): Scalars {
    return { 'rate/generator': this.#settings(step).learningRate, 'stage/steps': this.#stage(step).steps.length };
  }

  async dispose(): Promise<void> {
    disposeAll(this.teacher);
    for (const program of Object.values(this.#programs)) await program?.dispose();
  }
}
