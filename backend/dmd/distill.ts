/**
 * One-step distillation (Algorithm 1 of arXiv 2311.18828): what `dmd distill` runs. An iteration runs the generator's
 * program and the fake score's program on the same images, advances both states functionally, and commits both or
 * neither: until then nothing has changed, so a NaN stop or a breakpoint costs nothing.
 */
import { type DeviceTensor, type Engine, type Feed, isDeviceTensor } from '../engine/engine.ts';
import { type ParameterLayout, packParameters, unpackParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { DistillOptions, StartingWeights, StepSettings } from './distill-options.ts';
import { createDistillPrograms, type DistillPrograms } from './distill-programs.ts';
import { type DrawPoint, type Draws, type Latents, streamDraws } from './draws.ts';
import { fakeReport } from './fake-score-graph.ts';
import { generatorReport } from './generator-graph.ts';
import { KeptGradients } from './kept-gradients.ts';
import { disposeState, freshState, type OptimizerState } from './optimizer-state.ts';
import {
  allFinite,
  disposeAll,
  NumericStop,
  restoreState,
  type Scalars,
  type StateArrays,
  type StepReport,
  saveState,
  type Trainer,
} from './trainer.ts';

export type { DistillOptions, ReferencePairs, StartingWeights, StepSettings } from './distill-options.ts';

/** Tensors of the latest generator program run, on the device until the next one. */
export type StepTensors = Readonly<Record<string, DeviceTensor>>;

const tensorOutputs = ['x', 'xt', 'muReal', 'muFake', 'grad'] as const;

export class DistillTrainer implements Trainer {
  step = 0;
  readonly imagesPerStep: number;
  readonly programs: DistillPrograms;
  /** The latest iteration's parameter gradients of `generator` and `fake`, where `keepsGradients` says so. */
  readonly gradients: KeptGradients;
  private readonly engine: Engine;
  private readonly options: DistillOptions;
  private readonly draws: Draws;
  /** The teacher's parameters; null where no loss needs it. */
  private readonly teacher: DeviceTensor | null;
  private generatorState: OptimizerState;
  private fakeState: OptimizerState;
  private fakeSteps = 0;
  private latest: Record<string, DeviceTensor> = {};
  private latestDraws = new Map<string, TensorData>();

  private constructor(engine: Engine, options: DistillOptions, programs: DistillPrograms, start: StartingWeights) {
    this.engine = engine;
    this.options = options;
    this.draws = options.draws ?? streamDraws(options.seed, options.batch, options.network, options.labels);
    this.programs = programs;
    this.gradients = new KeptGradients(options.keepsGradients);
    this.imagesPerStep = options.batch * options.accumulation;
    const { layout } = options.network;
    this.teacher = options.matching && uploadParameters(engine, options.teacher.layout, options.teacherParameters);
    this.generatorState = freshState(engine, packParameters(layout, start.generator));
    this.fakeState = freshState(engine, packParameters(layout, start.fake));
  }

  static async create(engine: Engine, options: DistillOptions, start: StartingWeights): Promise<DistillTrainer> {
    if (!options.matching && !options.regression) throw new Error('both losses are switched off: nothing to train');
    return new DistillTrainer(engine, options, await createDistillPrograms(engine, options), start);
  }

  /** The latest iteration's x, xt, muReal, muFake, grad; valid until the next `advance`. */
  get tensors(): StepTensors {
    return this.latest;
  }

  async advance(): Promise<StepReport> {
    const step = this.step + 1;
    const settings = this.options.settings(step);
    this.gradients.clear();
    const generator = await this.generatorUpdate(step, settings);
    const candidates: OptimizerState[] = [generator.state];
    const scalars: Scalars = { ...generator.scalars };
    let fake = { state: this.fakeState, steps: this.fakeSteps };
    if (this.trainsFake && allFinite(scalars)) {
      for (let k = 0; k < this.options.fakeUpdates && allFinite(scalars); k++) {
        const update = await this.fakeUpdate(step, k, generator, fake, settings);
        candidates.push(update.state);
        Object.assign(scalars, update.scalars);
        fake = { state: update.state, steps: fake.steps + 1 };
      }
    }
    disposeAll(generator.images.filter((image) => image !== this.latest.x));
    if (!allFinite(scalars)) {
      const tensors = await this.fields();
      candidates.forEach(disposeState);
      throw new NumericStop(step, scalars, tensors);
    }
    this.commit(step, generator.state, fake, candidates);
    return { step, scalars };
  }

  /** Swaps the new states in and frees what they replace. */
  private commit(
    step: number,
    generator: OptimizerState,
    fake: { state: OptimizerState; steps: number },
    candidates: OptimizerState[],
  ): void {
    for (const state of [this.generatorState, this.fakeState, ...candidates]) {
      if (state !== generator && state !== fake.state) disposeState(state);
    }
    this.generatorState = generator;
    this.fakeState = fake.state;
    this.fakeSteps = fake.steps;
    this.step = step;
  }

  private get trainsFake(): boolean {
    return this.options.matching !== null && !this.options.matching.realOnly;
  }

  private async generatorUpdate(step: number, settings: StepSettings) {
    const { accumulation } = this.options;
    const scalars: Scalars = {};
    const images: DeviceTensor[] = [];
    let total: DeviceTensor | null = null;
    disposeAll(Object.values(this.latest));
    this.latest = {};
    for (let micro = 0; micro < accumulation; micro++) {
      const feeds = await this.generatorFeeds(step, micro, settings);
      const results = await this.programs.generator.run(feeds);
      const report = await this.readReport(results.report, generatorReport);
      for (const [name, value] of Object.entries(report)) scalars[name] = (scalars[name] ?? 0) + value / accumulation;
      total = await this.accumulate(total, results.gradient);
      images.push(results.x);
      const fields = pick(results, tensorOutputs);
      // A person who looks for the cause of a NaN needs the micro-batch that had it.
      if (micro === accumulation - 1 || !allFinite(report)) {
        this.latest = fields;
        this.latestDraws = hostFeeds(feeds, ['sigma', 'z', 'labels']);
        break;
      }
      disposeAll(Object.values(fields).filter((tensor) => tensor !== results.x));
    }
    const { state, gradientNorm } = await this.programs.generatorUpdater.run(
      this.generatorState,
      total!,
      settings.generator,
      step,
    );
    this.gradients.take('generator', total!, step);
    scalars.normGenerator = gradientNorm;
    return { state, scalars, images };
  }

  private async generatorFeeds(step: number, micro: number, settings: StepSettings): Promise<Record<string, Feed>> {
    const { network, levels, matching, regression, pairs } = this.options;
    const point: DrawPoint = { step, micro, update: 0 };
    const feeds: Record<string, Feed> = { generator: this.generatorState.parameters, ...this.draws.latents(point) };
    if (matching) {
      const range = { levels, first: settings.firstLevel, last: settings.lastLevel };
      Object.assign(feeds, this.draws.matching(point, range));
      feeds.teacher = this.teacher!;
      if (!matching.realOnly) feeds.fake = this.fakeState.parameters;
    }
    if (regression) {
      if (!pairs) throw new Error('regression needs noise-image pairs');
      const reference = await pairs.batch(step, micro, regression.batch);
      feeds.refZ = reference.z;
      feeds.refImages = reference.y;
      if (network.labelDim > 0) feeds.refLabels = reference.labels!;
      feeds.lambda = { shape: [], data: Float32Array.of(settings.lambda) };
    }
    return feeds;
  }

  /**
   * One fake-score update. The first trains on the images of the generator's program run, made before its update; later
   * ones on fresh images of the candidate generator.
   */
  private async fakeUpdate(
    step: number,
    k: number,
    generator: { state: OptimizerState; images: DeviceTensor[] },
    fake: { state: OptimizerState; steps: number },
    settings: StepSettings,
  ) {
    const { levels, accumulation } = this.options;
    const range = { levels, first: 0, last: levels.length - 1 };
    let total: DeviceTensor | null = null;
    let loss = 0;
    for (let micro = 0; micro < accumulation; micro++) {
      const point: DrawPoint = { step, micro, update: k };
      const latents = this.draws.latents(point);
      const fresh = k > 0 ? await this.freshImages(latents, generator.state.parameters) : null;
      const results = await this.programs.fake!.run({
        fake: fake.state.parameters,
        x: fresh ?? generator.images[micro],
        ...(latents.labels ? { labels: latents.labels } : {}),
        ...this.draws.fake(point, range),
      });
      fresh?.dispose();
      loss += (await this.readReport(results.report, fakeReport)).lossFake / accumulation;
      results.denoised.dispose();
      total = await this.accumulate(total, results.gradient);
    }
    const update = await this.programs.fakeUpdater!.run(fake.state, total!, settings.fake, fake.steps + 1);
    this.gradients.take('fake', total!, step);
    return { state: update.state, scalars: { lossFake: loss, normFake: update.gradientNorm } };
  }

  private async freshImages(latents: Latents, parameters: DeviceTensor): Promise<DeviceTensor> {
    return (await this.programs.generate!.run({ generator: parameters, ...latents })).x;
  }

  private async accumulate(total: DeviceTensor | null, gradient: DeviceTensor): Promise<DeviceTensor> {
    return this.programs.accumulator?.add(total, gradient, 1 / this.options.accumulation) ?? gradient;
  }

  private async readReport<Name extends string>(tensor: DeviceTensor, names: readonly Name[]) {
    const values = await tensor.read();
    tensor.dispose();
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, number>;
  }

  /**
   * The latest iteration's score fields on the host: x, xt, muReal, muFake, grad [B, ...] as far as the losses have them,
   * with sigma [B], z and labels.
   */
  async fields(): Promise<Map<string, TensorData>> {
    const tensors = new Map<string, TensorData>(this.latestDraws);
    for (const [name, tensor] of Object.entries(this.latest)) {
      tensors.set(name, { shape: tensor.shape, data: (await tensor.read()).slice() });
    }
    return tensors;
  }

  /** The networks' current parameters on the device, for previews and probes. Valid until the next `advance`. */
  get parameters() {
    const { generatorState, fakeState, teacher } = this;
    return { generator: generatorState.parameters, average: generatorState.ema, fake: fakeState.parameters, teacher };
  }

  /** The generator's averaged weights by parameter name: what is sampled and exported. */
  async generatorWeights(): Promise<Map<string, TensorData>> {
    return unpackParameters(this.options.network.layout, (await this.generatorState.ema.read()).slice());
  }

  async save(): Promise<Map<string, StateArrays>> {
    const counter = { shape: [1], data: Float32Array.of(this.fakeSteps) };
    return new Map([
      ['generator', await saveState(this.generatorState)],
      ['fake', (await saveState(this.fakeState)).set('steps', counter)],
    ]);
  }

  restore(step: number, files: ReadonlyMap<string, StateArrays>): void {
    const { size } = this.options.network.layout;
    const generator = restoreState(this.engine, files.get('generator'), size);
    const fake = restoreState(this.engine, files.get('fake'), size);
    disposeState(this.generatorState);
    disposeState(this.fakeState);
    this.generatorState = generator;
    this.fakeState = fake;
    this.fakeSteps = files.get('fake')?.get('steps')?.data[0] ?? step * this.options.fakeUpdates;
    this.step = step;
  }

  async dispose(): Promise<void> {
    disposeAll(Object.values(this.latest));
    this.gradients.clear();
    disposeState(this.generatorState);
    disposeState(this.fakeState);
    this.teacher?.dispose();
    await this.programs.dispose();
  }
}

function uploadParameters(engine: Engine, layout: ParameterLayout, values: ReadonlyMap<string, TensorData>) {
  return engine.upload({ shape: [layout.size], data: packParameters(layout, values) });
}

function pick(tensors: Record<string, DeviceTensor>, names: readonly string[]): Record<string, DeviceTensor> {
  return Object.fromEntries(names.filter((name) => tensors[name]).map((name) => [name, tensors[name]]));
}

function hostFeeds(feeds: Record<string, Feed>, names: readonly string[]): Map<string, TensorData> {
  const host = new Map<string, TensorData>();
  for (const name of names) {
    const feed = feeds[name];
    if (feed && !isDeviceTensor(feed)) host.set(name, feed);
  }
  return host;
}
