/**
 * Optimizer arithmetic as graph nodes over flat buffers: global-norm clipping, AdamW (Loshchilov and Hutter, arXiv
 * 1711.05101; the update of torch.optim.AdamW) and the exponential moving average of the weights.
 */
import type { Graph, Tensor } from './graph.ts';
import { add, concat, div, minimum, mul, reshape, slice, sqrt, square, sub, sum } from './ops/index.ts';

export interface AdamWState {
  readonly parameters: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
}

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay, per unit of learning rate. */
  readonly weightDecay: number;
}

const scalarNames = [
  'decay',
  'beta1',
  'oneMinusBeta1',
  'beta2',
  'oneMinusBeta2',
  'stepSize',
  'rootCorrection2',
  'epsilon',
] as const;

type Scalars = Readonly<Record<(typeof scalarNames)[number], Tensor>>;

/** How many numbers `adamWScalars` returns: the size of the graph input that `adamW` reads. */
export const adamWScalarCount = scalarNames.length;

/**
 * What an update needs of its settings, computed in float64 as PyTorch does: 1 - beta2 in float32 would be off by 6e-5.
 * `step` is 1 for the first update.
 */
export function adamWScalars(options: AdamWOptions, step: number): Float32Array {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  return Float32Array.of(
    1 - learningRate * weightDecay,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    learningRate / (1 - beta1 ** step),
    Math.sqrt(1 - beta2 ** step),
    epsilon,
  );
}

/**
 * One AdamW update; old state in, new state out. `scalars` is fed with `adamWScalars`. A gradient shorter than the
 * state trains the state's first numbers and leaves the rest as it is, undecayed.
 */
export function adamW(state: AdamWState, gradient: Tensor, scalars: Tensor): AdamWState {
  const { parameters, firstMoment, secondMoment } = state;
  const [size] = parameters.shape;
  const [trained] = gradient.shape;
  if (trained === size) return update(state, gradient, scalars);
  const head = (flat: Tensor) => slice(flat, [0], [trained]);
  const next = update(
    { parameters: head(parameters), firstMoment: head(firstMoment), secondMoment: head(secondMoment) },
    gradient,
    scalars,
  );
  const whole = (updated: Tensor, old: Tensor) => concat([updated, slice(old, [trained], [size])], 0);
  return {
    parameters: whole(next.parameters, parameters),
    firstMoment: whole(next.firstMoment, firstMoment),
    secondMoment: whole(next.secondMoment, secondMoment),
  };
}

function update(state: AdamWState, gradient: Tensor, scalars: Tensor): AdamWState {
  const settings = adamWScalarsOf(scalars);
  const firstMoment = nextFirstMoment(state.firstMoment, gradient, settings);
  const secondMoment = nextSecondMoment(state.secondMoment, gradient, settings);
  return { parameters: nextParameters({ ...state, firstMoment, secondMoment }, settings), firstMoment, secondMoment };
}

/** The settings of an update out of the input that has them. */
export function adamWScalarsOf(scalars: Tensor): Scalars {
  const entries = scalarNames.map((name, i) => [name, reshape(slice(scalars, [i], [i + 1]), [])] as const);
  return Object.fromEntries(entries) as Record<(typeof scalarNames)[number], Tensor>;
}

export function nextFirstMoment(moment: Tensor, gradient: Tensor, { beta1, oneMinusBeta1 }: Scalars): Tensor {
  return add(mul(moment, beta1), mul(gradient, oneMinusBeta1));
}

export function nextSecondMoment(moment: Tensor, gradient: Tensor, { beta2, oneMinusBeta2 }: Scalars): Tensor {
  return add(mul(moment, beta2), mul(square(gradient), oneMinusBeta2));
}

/** @param state old parameters, new moments */
export function nextParameters(
  { parameters, firstMoment, secondMoment }: AdamWState,
  { decay, stepSize, rootCorrection2, epsilon }: Scalars,
): Tensor {
  const denominator = add(div(sqrt(secondMoment), rootCorrection2), epsilon);
  return sub(mul(parameters, decay), mul(div(firstMoment, denominator), stepSize));
}

/** Declares the graph input that `adamW` reads its settings from. */
export function adamWScalarInput(graph: Graph, name: string): Tensor {
  return graph.input(name, [adamWScalarCount]);
}

/** L2 norm over all numbers of a flat gradient. */
export function gradientNorm(gradient: Tensor): Tensor {
  return sqrt(sum(square(gradient)));
}

/** What a gradient of norm `norm` is multiplied by, so that it is no larger than `limit` (torch.nn.utils.clip_grad_norm_). */
export function clipFactor(norm: Tensor, limit: Tensor): Tensor {
  return minimum(div(limit, add(norm, 1e-6)), 1);
}

/** decay * average + (1 - decay) * value, in the form that leaves an average equal to its value bit for bit alone. */
export function movingAverage(average: Tensor, value: Tensor, decay: Tensor): Tensor {
  return add(value, mul(sub(average, value), decay));
}

/** The same, exact at both ends: at decay 1 the average stays to the bit, at 0 it is the value. */
export function heldAverage(average: Tensor, value: Tensor, decay: Tensor): Tensor {
  return add(mul(average, decay), mul(value, sub(1, decay)));
}
