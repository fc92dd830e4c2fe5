/**
 * One trained network's state on the device, and the program that advances it. The update is functional: it returns
 * new buffers, and the caller decides whether they replace the old ones (commit) or are dropped.
 */
import type { DeviceTensor, Engine, Feed, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { add, mul, reshape, slice } from '../graph/ops/index.ts';
import {
  type AdamWOptions,
  adamW,
  adamWScalarCount,
  adamWScalarInput,
  adamWScalars,
  clipByNorm,
  gradientNorm,
  movingAverage,
} from '../graph/optimizer.ts';
import type { ParameterLayout } from '../graph/parameters.ts';

/** Flat float32 buffers, each of the network's parameter count. */
export interface OptimizerState {
  readonly parameters: DeviceTensor;
  readonly firstMoment: DeviceTensor;
  readonly secondMoment: DeviceTensor;
  /** Exponential moving average of the parameters. */
  readonly ema: DeviceTensor;
}

export const stateNames = ['parameters', 'firstMoment', 'secondMoment', 'ema'] as const;

/** The state before the first update: moments zero, average equal to the parameters. */
export function freshState(engine: Engine, parameters: Float32Array): OptimizerState {
  const shape = [parameters.length];
  const zeros = () => engine.upload({ shape, data: new Float32Array(parameters.length) });
  return {
    parameters: engine.upload({ shape, data: parameters.slice() }),
    firstMoment: zeros(),
    secondMoment: zeros(),
    ema: engine.upload({ shape, data: parameters.slice() }),
  };
}

export function disposeState(state: OptimizerState): void {
  for (const name of stateNames) state[name].dispose();
}

export interface UpdateSettings extends AdamWOptions {
  /** Largest L2 norm of the gradient; Infinity does not clip. */
  readonly clip: number;
  /** Decay of the moving average per update, 0 <= decay < 1; 0 makes it follow the parameters exactly. */
  readonly emaDecay: number;
}

export interface UpdateResult {
  readonly state: OptimizerState;
  /** L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

export class Updater {
  private readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  static async create(engine: Engine, layout: ParameterLayout, name: string): Promise<Updater> {
    return new Updater(await engine.compile(updateGraph(layout), { name }));
  }

  /** `step` is 1 for the first update. Nothing of the old state is changed or freed. */
  async run(state: OptimizerState, gradient: Feed, settings: UpdateSettings, step: number): Promise<UpdateResult> {
    const clip = Number.isFinite(settings.clip) ? settings.clip : 3e38;
    const results = await this.program.run({
      parameters: state.parameters,
      firstMoment: state.firstMoment,
      secondMoment: state.secondMoment,
      ema: state.ema,
      gradient,
      adamW: { shape: [adamWScalarCount], data: adamWScalars(settings, step) },
      limits: { shape: [2], data: Float32Array.of(clip, settings.emaDecay) },
    });
    const [norm] = await results.gradientNorm.read();
    results.gradientNorm.dispose();
    const next = {
      parameters: results.newParameters,
      firstMoment: results.newFirstMoment,
      secondMoment: results.newSecondMoment,
      ema: results.newEma,
    };
    return { state: next, gradientNorm: norm };
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}

export function updateGraph({ size, trainedSize }: ParameterLayout): Graph {
  const graph = new Graph();
  const [parameters, firstMoment, secondMoment, ema] = stateNames.map((name) => graph.input(name, [size]));
  const gradient = graph.input('gradient', [trainedSize]);
  const scalars = adamWScalarInput(graph, 'adamW');
  const limits = graph.input('limits', [2]);
  const [clip, emaDecay] = [0, 1].map((i) => reshape(slice(limits, [i], [i + 1]), []));
  const norm = gradientNorm(gradient);
  const clipped = clipByNorm(gradient, norm, clip);
  const next = adamW({ parameters, firstMoment, secondMoment }, clipped, scalars);
  graph.output('newParameters', next.parameters);
  graph.output('newFirstMoment', next.firstMoment);
  graph.output('newSecondMoment', next.secondMoment);
  graph.output('newEma', movingAverage(ema, next.parameters, emaDecay));
  graph.output('gradientNorm', norm);
  return graph;
}

/** Averages micro-batch gradients on the device. */
export class Accumulator {
  private readonly program: Program;
  private readonly zeros: DeviceTensor;

  private constructor(program: Program, zeros: DeviceTensor) {
    this.program = program;
    this.zeros = zeros;
  }

  static async create(engine: Engine, { trainedSize }: ParameterLayout): Promise<Accumulator> {
    const graph = new Graph();
    const total = graph.input('total', [trainedSize]);
    const gradient = graph.input('gradient', [trainedSize]);
    const factor = graph.input('factor', []);
    graph.output('sum', add(total, mul(gradient, factor)));
    const program = await engine.compile(graph, { name: 'accumulate gradients' });
    return new Accumulator(program, engine.upload({ shape: [trainedSize], data: new Float32Array(trainedSize) }));
  }

  /** total + gradient * factor, from zero where there is no total yet; frees both. */
  async add(total: DeviceTensor | null, gradient: DeviceTensor, factor: number): Promise<DeviceTensor> {
    const { sum } = await this.program.run({
      total: total ?? this.zeros,
      gradient,
      factor: { shape: [], data: Float32Array.of(factor) },
    });
    total?.dispose();
    gradient.dispose();
    return sum;
  }

  dispose(): Promise<void> {
    this.zeros.dispose();
    return this.program.dispose();
  }
}
