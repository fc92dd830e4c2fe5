/** Trains a teacher with EDM's loss: what `dmd teach` runs. */
import type { DeviceTensor, Engine, Program } from '../engine/engine.ts';
import { initialParameters, packParameters, unpackParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';
import type { Denoiser } from './denoiser.ts';
import { type KeepsGradients, KeptGradients } from './kept-gradients.ts';
import {
  Accumulator,
  disposeState,
  freshState,
  type OptimizerState,
  Updater,
  type UpdateSettings,
} from './optimizer-state.ts';
import { teacherLossGraph } from './teacher-loss.ts';
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

export interface TeachOptions {
  readonly network: Denoiser;
  readonly seed: number;
  /** Images per program run. */
  readonly batch: number;
  /** Micro-batches per update. */
  readonly accumulation: number;
  /** Noise levels are log-normal: ln sigma ~ N(meanLogSigma, stdLogSigma^2); EDM: -1.2 and 1.2. */
  readonly meanLogSigma: number;
  readonly stdLogSigma: number;
  readonly sigmaData: number;
  /** Weights to begin with, by parameter name; null: random ones. */
  readonly initial: ReadonlyMap<string, TensorData> | null;
  /** Settings of the update with number `step` (1 for the first): where warm-up and decay live. */
  settings(step: number): UpdateSettings;
  /** Steps whose parameter gradient is kept until the next one; none unless given. */
  readonly keepsGradients?: KeepsGradients;
  /** `count` training images with one-hot labels, a pure function of (step, micro-batch). */
  images(step: number, micro: number, count: number): Promise<{ images: TensorData; labels: TensorData | null }>;
}

export class TeachTrainer implements Trainer {
  step = 0;
  readonly imagesPerStep: number;
  /** The latest iteration's parameter gradient of `teacher`, where `keepsGradients` says so. */
  readonly gradients: KeptGradients;
  private readonly engine: Engine;
  private readonly options: TeachOptions;
  private readonly loss: Program;
  private readonly updater: Updater;
  private readonly accumulator: Accumulator | null;
  private state: OptimizerState;
  private latestDraws: Record<string, TensorData> = {};

  private constructor(
    engine: Engine,
    options: TeachOptions,
    programs: { loss: Program; updater: Updater; accumulator: Accumulator | null },
  ) {
    this.engine = engine;
    this.options = options;
    this.loss = programs.loss;
    this.updater = programs.updater;
    this.accumulator = programs.accumulator;
    this.gradients = new KeptGradients(options.keepsGradients);
    this.imagesPerStep = options.batch * options.accumulation;
    const { layout } = options.network;
    const { initial, seed } = options;
    const parameters = initial
      ? packParameters(layout, initial)
      : initialParameters(layout, stream(seed, 'teach', 'init'));
    this.state = freshState(engine, parameters);
  }

  static async create(engine: Engine, options: TeachOptions): Promise<TeachTrainer> {
    const { network, batch, sigmaData, accumulation } = options;
    const loss = await engine.compile(teacherLossGraph(network, batch, sigmaData), { name: 'teacher loss' });
    const updater = await Updater.create(engine, network.layout, 'teacher update');
    const accumulator = accumulation > 1 ? await Accumulator.create(engine, network.layout) : null;
    return new TeachTrainer(engine, options, { loss, updater, accumulator });
  }

  async advance(): Promise<StepReport> {
    const step = this.step + 1;
    this.gradients.clear();
    const { gradient, loss } = await this.gradient(step);
    const settings = this.options.settings(step);
    const next = await this.updater.run(this.state, gradient, settings, step);
    this.gradients.take('teacher', gradient, step);
    const scalars: Scalars = {
      'loss/teacher': loss,
      'norm/teacher': next.gradientNorm,
      'rate/teacher': settings.learningRate,
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
  private async gradient(step: number): Promise<{ gradient: DeviceTensor; loss: number }> {
    const { accumulation } = this.options;
    let total: DeviceTensor | null = null;
    let loss = 0;
    for (let micro = 0; micro < accumulation; micro++) {
      const draws = await this.draws(step, micro);
      this.latestDraws = draws;
      const results = await this.loss.run({ parameters: this.state.parameters, ...draws });
      loss += (await results.loss.read())[0] / accumulation;
      results.loss.dispose();
      if (!this.accumulator) return { gradient: results.gradient, loss };
      total = await this.accumulator.add(total, results.gradient, 1 / accumulation);
    }
    return { gradient: total!, loss };
  }

  private async draws(step: number, micro: number): Promise<Record<string, TensorData>> {
    const { batch, network, seed, meanLogSigma, stdLogSigma } = this.options;
    const random = stream(seed, 'teach', 'step', step, micro);
    const sigma = random.randn(batch).map((z) => Math.exp(z * stdLogSigma + meanLogSigma));
    const shape = [batch, ...network.imageShape];
    const { images, labels } = await this.options.images(step, micro, batch);
    return {
      images,
      ...(network.labelDim > 0 && labels ? { labels } : {}),
      sigma: { shape: [batch], data: sigma },
      noise: { shape, data: random.randn(sizeOf(shape)) },
    };
  }

  /** Current and averaged parameters on the device, for previews. Valid until the next `advance`. */
  get parameters(): { current: DeviceTensor; average: DeviceTensor } {
    return { current: this.state.parameters, average: this.state.ema };
  }

  /** The averaged weights by parameter name: the teacher. */
  async averagedWeights(): Promise<Map<string, TensorData>> {
    return unpackParameters(this.options.network.layout, (await this.state.ema.read()).slice());
  }

  async save(): Promise<Map<string, StateArrays>> {
    return new Map([['teacher', await saveState(this.state)]]);
  }

  restore(step: number, files: ReadonlyMap<string, StateArrays>): void {
    const restored = restoreState(this.engine, files.get('teacher'), this.options.network.layout.size);
    disposeState(this.state);
    this.state = restored;
    this.step = step;
  }

  async dispose(): Promise<void> {
    this.gradients.clear();
    disposeState(this.state);
    await this.loss.dispose();
    await this.updater.dispose();
    await this.accumulator?.dispose();
  }
}
