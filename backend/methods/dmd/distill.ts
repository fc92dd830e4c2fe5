/**
 * One-step distillation (Algorithm 1 of arXiv 2311.18828): what `dmd distill` runs. An iteration runs the generator's
 * program and the fake score's program on the same images, advances both states functionally, and commits both or
 * neither: until then nothing has changed, so a NaN stop or a breakpoint costs nothing.
 */
import { type DeviceTensor, type Engine, isDeviceTensor } from '../../engine/engine.ts';
import { packParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { DrawPoint } from '../../training/draws.ts';
import { type KeepsGradients, KeptGradients } from '../../training/kept-gradients.ts';
import { type Accumulator, disposeState, freshState, type OptimizerState } from '../../training/optimizer-state.ts';
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
} from '../../training/trainer.ts';
import { type StoredArrays, sourceOf } from '../../weights/array-source.ts';
import type { DistillMethod, Feeds, Generation } from './distill-method.ts';
import type { DistillOptions, StartingWeights, StepSettings } from './distill-options.ts';
import type { DistillPrograms } from './distill-programs.ts';
import { edmMethod } from './edm-method.ts';
import { fakeReport } from './fake-score-graph.ts';
import { generatorReport } from './generator-report.ts';

export type { DistillOptions, ReferencePairs, StartingWeights, StepSettings } from './distill-options.ts';

/** Tensors of the latest generator program run, on the device until the next one. */
export type StepTensors = Readonly<Record<string, DeviceTensor>>;

const tensorOutputs = ['x', 'xt', 'muReal', 'muFake', 'grad'] as const;

/** Images on the device, and the conditions they were made under. */
interface Generated {
  readonly x: DeviceTensor;
  readonly conditions: Feeds;
}

export class DistillTrainer implements Trainer {
  step = 0;
  readonly imagesPerStep: number;
  /** The latest iteration's parameter gradients of `generator` and `fake`, where `keepsGradients` says so. */
  readonly gradients: KeptGradients;
  private readonly engine: Engine;
  private readonly method: DistillMethod;
  private generatorState: OptimizerState;
  private fakeState: OptimizerState;
  private fakeSteps = 0;
  private latest: Record<string, DeviceTensor> = {};
  private latestDraws = new Map<string, TensorData>();

  /** @param start flat parameters of what is trained of either network */
  constructor(
    engine: Engine,
    method: DistillMethod,
    start: { readonly generator: Float32Array; readonly fake: Float32Array },
    keepsGradients?: KeepsGradients,
  ) {
    this.engine = engine;
    this.method = method;
    this.gradients = new KeptGradients(keepsGradients);
    this.imagesPerStep = method.imagesPerStep;
    this.generatorState = freshState(engine, start.generator);
    this.fakeState = freshState(engine, start.fake);
  }

  /** For EDM's networks. */
  static async create(engine: Engine, options: DistillOptions, start: StartingWeights): Promise<DistillTrainer> {
    const method = await edmMethod(engine, options);
    const { layout } = options.network;
    const flat = { generator: packParameters(layout, start.generator), fake: packParameters(layout, start.fake) };
    return new DistillTrainer(engine, method, flat, options.keepsGradients);
  }

  get programs(): DistillPrograms {
    return this.method.programs;
  }

  /** The latest iteration's x, xt, muReal, muFake, grad; valid until the next `advance`. */
  get tensors(): StepTensors {
    return this.latest;
  }

  async advance(): Promise<StepReport> {
    const step = this.step + 1;
    const settings = this.method.settings(step);
    this.gradients.clear();
    const generator = await this.generatorUpdate(step, settings);
    const candidates: OptimizerState[] = [generator.state];
    const scalars: Scalars = { ...generator.scalars };
    let fake = { state: this.fakeState, steps: this.fakeSteps };
    if (this.programs.fake && allFinite(scalars)) {
      for (let k = 0; k < this.method.fakeUpdates && allFinite(scalars); k++) {
        const update = await this.fakeUpdate(step, k, generator, fake, settings);
        candidates.push(update.state);
        Object.assign(scalars, update.scalars);
        fake = { state: update.state, steps: fake.steps + 1 };
      }
    }
    disposeAll(generator.images.map(({ x }) => x).filter((x) => x !== this.latest.x));
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

  private async generatorUpdate(step: number, settings: StepSettings) {
    const { programs, accumulation } = this.method;
    const scalars: Scalars = {};
    const images: Generated[] = [];
    let total: DeviceTensor | null = null;
    disposeAll(Object.values(this.latest));
    this.latest = {};
    for (let micro = 0; micro < accumulation; micro++) {
      const { feeds, conditions } = await this.method.generation({ step, micro, update: 0 }, settings);
      const results = await programs.generator.run({
        generator: this.generatorState.parameters,
        ...(programs.fake ? { fake: this.fakeState.parameters } : {}),
        ...feeds,
      });
      const report = await this.readReport(results.report, generatorReport);
      for (const [name, value] of Object.entries(report)) scalars[name] = (scalars[name] ?? 0) + value / accumulation;
      total = await this.accumulate(programs.generatorAccumulator, total, results.gradient);
      images.push({ x: results.x, conditions });
      const fields = pick(results, tensorOutputs);
      // A person who looks for the cause of a NaN needs the micro-batch that had it.
      if (micro === accumulation - 1 || !allFinite(report)) {
        this.latest = fields;
        this.latestDraws = hostFeeds(feeds, this.method.recorded);
        break;
      }
      disposeAll(Object.values(fields).filter((tensor) => tensor !== results.x));
    }
    const { state, gradientNorm } = await programs.generatorUpdater.run(
      this.generatorState,
      total!,
      settings.generator,
      step,
    );
    this.gradients.take('generator', total!, step);
    scalars.normGenerator = gradientNorm;
    return { state, scalars, images };
  }

  /**
   * One fake-score update. The first trains on the images of the generator's program run, made before its update; later
   * ones on fresh images of the candidate generator.
   */
  private async fakeUpdate(
    step: number,
    k: number,
    generator: { state: OptimizerState; images: Generated[] },
    fake: { state: OptimizerState; steps: number },
    settings: StepSettings,
  ) {
    const { programs, accumulation } = this.method;
    let total: DeviceTensor | null = null;
    let loss = 0;
    for (let micro = 0; micro < accumulation; micro++) {
      const point: DrawPoint = { step, micro, update: k };
      const fresh = k > 0 ? await this.freshImages(await this.method.fresh(point), generator.state.parameters) : null;
      const { x, conditions } = fresh ?? generator.images[micro];
      const results = await programs.fake!.run({
        fake: fake.state.parameters,
        x,
        ...conditions,
        ...this.method.fakeFeeds(point),
      });
      fresh?.x.dispose();
      loss += (await this.readReport(results.report, fakeReport)).lossFake / accumulation;
      results.denoised.dispose();
      total = await this.accumulate(programs.fakeAccumulator, total, results.gradient);
    }
    const update = await programs.fakeUpdater!.run(fake.state, total!, settings.fake, fake.steps + 1);
    this.gradients.take('fake', total!, step);
    return { state: update.state, scalars: { lossFake: loss, normFake: update.gradientNorm } };
  }

  private async freshImages({ feeds, conditions }: Generation, parameters: DeviceTensor): Promise<Generated> {
    const { x } = await this.programs.generate!.run({ generator: parameters, ...feeds });
    return { x, conditions };
  }

  private async accumulate(
    accumulator: Accumulator | null,
    total: DeviceTensor | null,
    gradient: DeviceTensor,
  ): Promise<DeviceTensor> {
    return accumulator?.add(total, gradient, 1 / this.method.accumulation) ?? gradient;
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
    const { generatorState, fakeState } = this;
    const { teacher } = this.method;
    return { generator: generatorState.parameters, average: generatorState.ema, fake: fakeState.parameters, teacher };
  }

  /** The generator's averaged weights by parameter name: what is sampled and exported. */
  async generatorWeights(): Promise<Map<string, TensorData>> {
    return this.method.generatorWeights((await this.generatorState.ema.read()).slice());
  }

  async save(): Promise<Map<string, StateArrays>> {
    const counter = sourceOf({ shape: [1], data: Float32Array.of(this.fakeSteps) });
    return new Map([
      ['generator', saveState(this.generatorState)],
      ['fake', saveState(this.fakeState).set('steps', counter)],
    ]);
  }

  async restore(step: number, files: ReadonlyMap<string, StoredArrays>): Promise<void> {
    const { layouts, fakeUpdates } = this.method;
    const stored = files.get('fake');
    const [count] = stored?.shape('steps') ? await stored.read('steps', 0, 1) : [step * fakeUpdates];
    const generator = await restoreState(this.engine, files, 'generator', layouts.generator.size);
    const fake = await restoreState(this.engine, files, 'fake', layouts.fake.size).catch((error: unknown) => {
      disposeState(generator);
      throw error;
    });
    disposeState(this.generatorState);
    disposeState(this.fakeState);
    this.generatorState = generator;
    this.fakeState = fake;
    this.fakeSteps = count!;
    this.step = step;
  }

  async dispose(): Promise<void> {
    disposeAll(Object.values(this.latest));
    this.gradients.clear();
    disposeState(this.generatorState);
    disposeState(this.fakeState);
    this.method.dispose();
    await this.programs.dispose();
  }
}

function pick(tensors: Record<string, DeviceTensor>, names: readonly string[]): Record<string, DeviceTensor> {
  return Object.fromEntries(names.filter((name) => tensors[name]).map((name) => [name, tensors[name]]));
}

function hostFeeds(feeds: Feeds, names: readonly string[]): Map<string, TensorData> {
  const host = new Map<string, TensorData>();
  for (const name of names) {
    const feed = feeds[name];
    if (feed && !isDeviceTensor(feed)) host.set(name, feed);
  }
  return host;
}
