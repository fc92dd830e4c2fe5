/**
 * Trains one set of parameters on one loss: what `dmd teach` runs, whatever it teaches. A task brings the loss as a graph
 * and the draws of each micro-batch; the trainer averages, updates, and commits only finite steps.
 */
import type { DeviceTensor, Engine, Program } from '../engine/engine.ts';
import type { Graph } from '../graph/graph.ts';
import { type ParameterLayout, unpackParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { StoredArrays } from '../weights/array-source.ts';
import { type KeepsGradients, KeptGradients } from './kept-gradients.ts';
import {
  Accumulator,
  disposeState,
  freshState,
  type OptimizerState,
  Updater,
  type UpdateSettings,
} from './optimizer-state.ts';
import {
  allFinite,
  NumericStop,
  restoreState,
  type Scalars,
  type StateArrays,
  type StepReport,
  saveState,
  type Trainer,
} from './trainer.ts';

export type Feeds = Readonly<Record<string, TensorData>>;

export interface LossTask {
  /** Names the state and the curves: `loss/NAME`, `norm/NAME`, `rate/NAME`. */
  readonly name: string;
  readonly layout: ParameterLayout;
  /** Where training begins: flat, as in the layout. */
  readonly parameters: Float32Array;
  /**
   * Inputs: `parameters` [layout.size] and what `draws` gives. Outputs: `loss` [1], `gradient` [trainedSize] and
   * whatever `terms` names, each [1].
   */
  readonly graph: Graph;
  /** Another graph of the same loss for the first `steps` updates, e.g. of smaller images. */
  readonly early?: { readonly graph: Graph; readonly steps: number } | undefined;
  /** Parts of the loss that are recorded too: output of the graph -> tag. */
  readonly terms?: Readonly<Record<string, string>>;
  /** Images per program run. */
  readonly batch: number;
  /** Micro-batches per update. */
  readonly accumulation: number;
  /** A pure function of (step, micro-batch). */
  draws(step: number, micro: number): Promise<Feeds>;
  /** Settings of the update with number `step` (1 for the first): where warm-up and decay live. */
  settings(step: number): UpdateSettings;
  /** Steps whose parameter gradient is kept until the next one; none unless given. */
  readonly keepsGradients?: KeepsGradients | undefined;
}

export class LossTrainer implements Trainer {
  step = 0;
  readonly imagesPerStep: number;
  /** The latest iteration's parameter gradient by the task's name, where `keepsGradients` says so. */
  readonly gradients: KeptGradients;
  private readonly engine: Engine;
  private readonly task: LossTask;
  private readonly loss: Program;
  private readonly early: Program | null;
  private readonly updater: Updater;
  private readonly accumulator: Accumulator | null;
  private state: OptimizerState;
  private latestDraws: Feeds = {};

  private constructor(
    engine: Engine,
    task: LossTask,
    programs: { loss: Program; early: Program | null; updater: Updater; accumulator: Accumulator | null },
  ) {
    this.engine = engine;
    this.task = task;
    this.loss = programs.loss;
    this.early = programs.early;
    this.updater = programs.updater;
    this.accumulator = programs.accumulator;
    this.gradients = new KeptGradients(task.keepsGradients);
    this.imagesPerStep = task.batch * task.accumulation;
    this.state = freshState(engine, task.parameters);
  }

  static async create(engine: Engine, task: LossTask): Promise<LossTrainer> {
    const { name, layout, graph, early: first, accumulation } = task;
    const loss = await engine.compile(graph, { name: `${name} loss` });
    const early = first ? await engine.compile(first.graph, { name: `${name} early loss` }) : null;
    const updater = await Updater.create(engine, layout, `${name} update`);
    const accumulator = accumulation > 1 ? await Accumulator.create(engine, layout) : null;
    return new LossTrainer(engine, task, { loss, early, updater, accumulator });
  }

  async advance(): Promise<StepReport> {
    const step = this.step + 1;
    const { name } = this.task;
    this.gradients.clear();
    const { gradient, losses } = await this.gradient(step);
    const settings = this.task.settings(step);
    const next = await this.updater.run(this.state, gradient, settings, step);
    this.gradients.take(name, gradient, step);
    const scalars: Scalars = {
      ...losses,
      [`norm/${name}`]: next.gradientNorm,
      [`rate/${name}`]: settings.learningRate,
    };
    if (!allFinite(scalars)) {
      disposeState(next.state);
      throw new NumericStop(step, scalars, new Map(Object.entries(this.latestDraws)));
    }
    disposeState(this.state);
    this.state = next.state;
    this.step = step;
    return { step, scalars };
  }

  /** Mean loss and gradient over the step's micro-batches. */
  private async gradient(step: number): Promise<{ gradient: DeviceTensor; losses: Scalars }> {
    const { name, accumulation, terms = {} } = this.task;
    const tags = Object.entries({ loss: `loss/${name}`, ...terms });
    const losses: Scalars = Object.fromEntries(tags.map(([, tag]) => [tag, 0]));
    const program = step <= (this.task.early?.steps ?? 0) ? this.early! : this.loss;
    let total: DeviceTensor | null = null;
    for (let micro = 0; micro < accumulation; micro++) {
      const draws = await this.task.draws(step, micro);
      this.latestDraws = draws;
      const results = await program.run({ parameters: this.state.parameters, ...draws });
      for (const [output, tag] of tags) {
        losses[tag] += (await results[output].read())[0] / accumulation;
        results[output].dispose();
      }
      if (!this.accumulator) return { gradient: results.gradient, losses };
      total = await this.accumulator.add(total, results.gradient, 1 / accumulation);
    }
    return { gradient: total!, losses };
  }

  /** Current and averaged parameters on the device, for previews. Valid until the next `advance`. */
  get parameters(): { current: DeviceTensor; average: DeviceTensor } {
    return { current: this.state.parameters, average: this.state.ema };
  }

  /** The averaged weights by parameter name: what was taught. */
  async averagedWeights(): Promise<Map<string, TensorData>> {
    return unpackParameters(this.task.layout, (await this.state.ema.read()).slice());
  }

  async save(): Promise<Map<string, StateArrays>> {
    return new Map([[this.task.name, saveState(this.state)]]);
  }

  async restore(step: number, files: ReadonlyMap<string, StoredArrays>): Promise<void> {
    const restored = await restoreState(this.engine, files, this.task.name, this.task.layout.size);
    disposeState(this.state);
    this.state = restored;
    this.step = step;
  }

  async dispose(): Promise<void> {
    this.gradients.clear();
    disposeState(this.state);
    await this.loss.dispose();
    await this.early?.dispose();
    await this.updater.dispose();
    await this.accumulator?.dispose();
  }
}
