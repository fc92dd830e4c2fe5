/**
 * What training and sampling see of a diffusion model, of whatever family: x_t = alpha x + sigma noise at named levels, a
 * network that predicts something of it under named conditions, and what follows from that. EDM is the case alpha = 1 with
 * sigma continuous (edm-model.ts); text-to-image models have whole timesteps (latent-model.ts).
 */
import { type Arithmetic, cleanFrom, type Prediction, targetOf } from '../diffusion/prediction.ts';
import type { Graph, Tensor } from '../graph/graph.ts';
import { add, broadcastTo, concat, div, mean, mul, reshape, sliceAxis, square, sub } from '../graph/ops/index.ts';
import type { ParameterLayout, ParameterSource } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';

/** What a sample is of, by name: one-hot `labels` [B, L], text `context` [B, L, D], whatever a family needs. */
export type Conditions = Readonly<Record<string, Tensor>>;

/** Noise levels of a batch, each [B]. */
export interface Level {
  /** What the network is told: EDM's sigma, or a whole timestep. */
  readonly t: Tensor;
  /** Null where it is 1 everywhere. */
  readonly alpha: Tensor | null;
  readonly sigma: Tensor;
}

/** The levels that training draws from by index, ascending in noise. */
export interface NoiseLevels {
  readonly count: number;
  /** A level's numbers as graphs are fed them and as they are recorded, by name. */
  readonly numbers: Readonly<Record<string, (index: number) => number>>;
  /** Which of them is what. */
  readonly roles: { readonly t: string; readonly alpha: string | null; readonly sigma: string };
}

/** A noise level in numbers. */
export interface LevelPoint {
  /** What the network is told. */
  readonly t: number;
  readonly alpha: number;
  readonly sigma: number;
}

/** The boundary condition of a consistency model: at the lowest noise level it returns x_t as it is. */
export interface Boundary {
  /** The lowest noise level that it knows, as the network is told it. */
  readonly lowest: number;
  /** From x_t and the clean sample read off the network's prediction, both [B, ...]. */
  returned(xt: Tensor, clean: Tensor, level: Level): Tensor;
}

export interface DiffusionModel {
  readonly layout: ParameterLayout;
  /** Of one sample: [C, H, W], or [C, h, w] of latents. */
  readonly shape: readonly number[];
  /** Shapes of one sample's conditions; {} for an unconditional network. */
  readonly conditions: Readonly<Record<string, readonly number[]>>;
  readonly prediction: Prediction;
  readonly levels: NoiseLevels;
  /** Where a one-step generator is called: x_t = scale z, z standard normal, at this level. */
  readonly calledAt: LevelPoint & { readonly scale: number };
  /** Where a few-step generator is called again on its own image with noise, levels descending; left out by a one-step one. */
  readonly calledAgain?: readonly LevelPoint[];
  /** Whether it is then given the noise that it found, as DDIM has it, in place of new noise. */
  readonly deterministic?: boolean;
  /** Of a consistency model: what it returns in the place of the clean sample. */
  readonly boundary?: Boundary;
  /** What the network predicts of x_t [B, ...shape]. */
  predict(source: ParameterSource, xt: Tensor, t: Tensor, conditions: Conditions): Tensor;
  /** The network's deepest features of x_t, [B, features, h, w]; left out by one that has none. */
  features?(source: ParameterSource, xt: Tensor, t: Tensor, conditions: Conditions): Tensor;
  /** Weight of the denoising loss of the fake score, [B] of sigma [B]; null: every prediction counts the same. */
  readonly lossWeight: ((sigma: Tensor) => Tensor) | null;
}

/** The shape [B, 1, ...] of `rank` axes that lets a per-sample factor, of shape [B], multiply samples [B, ...]. */
export function perSample(shape: readonly number[], rank: number): number[] {
  return [...shape, ...Array(rank - shape.length).fill(1)];
}

/** Per-sample factors [B] in the shape that multiplies samples [B, ...]. */
export const over = (factor: Tensor, sample: Tensor) => reshape(factor, perSample(factor.shape, sample.shape.length));

export const onTensors: Arithmetic<Tensor> = { add, sub, mul, div };

/** x_t = alpha x + sigma noise. */
export function noised(x: Tensor, noise: Tensor, { alpha, sigma }: Level): Tensor {
  return add(alpha ? mul(x, over(alpha, x)) : x, mul(noise, over(sigma, x)));
}

/** The clean sample behind x_t and what the network predicts of it. */
export function cleanSample(type: Prediction, xt: Tensor, prediction: Tensor, { alpha, sigma }: Level): Tensor {
  if (type === 'sample') return prediction;
  return cleanFrom(onTensors, type, xt, prediction, over(alpha ?? ones(sigma), xt), over(sigma, xt));
}

const ones = ({ graph, shape }: Tensor) => graph.constant(shape, new Float32Array(shape[0]!).fill(1));

/** The noise in x_t beside a clean sample. */
export function noiseIn(xt: Tensor, clean: Tensor, { alpha, sigma }: Level): Tensor {
  return div(sub(xt, alpha ? mul(clean, over(alpha, xt)) : clean), over(sigma, xt));
}

/** A deterministic step (DDIM; for EDM Euler's): the clean sample found in x_t, with the noise found there, at another level. */
export function ddimStep(xt: Tensor, clean: Tensor, from: Level, to: Level): Tensor {
  return noised(clean, noiseIn(xt, clean, from), to);
}

/** mu(x_t, t | conditions): the denoised samples [B, ...]; of a consistency model, what it returns. */
export function denoise(
  model: DiffusionModel,
  source: ParameterSource,
  xt: Tensor,
  level: Level,
  conditions: Conditions,
): Tensor {
  const clean = cleanSample(model.prediction, xt, model.predict(source, xt, level.t, conditions), level);
  return model.boundary?.returned(xt, clean, level) ?? clean;
}

/**
 * `denoise` with classifier-free guidance, unconditional + scale (conditional - unconditional): one call on the doubled batch.
 * @returns also what the condition alone predicts, for who wants it
 * @param unconditional of every condition, [1, ...]
 */
export function denoiseGuided(
  model: DiffusionModel,
  source: ParameterSource,
  xt: Tensor,
  level: Level,
  conditions: Conditions,
  unconditional: Conditions,
  scale: number | Tensor,
): { readonly guided: Tensor; readonly conditional: () => Tensor } {
  const [batch] = xt.shape as [number];
  const twice = (tensor: Tensor) => concat([tensor, tensor], 0);
  const both = Object.fromEntries(
    Object.entries(conditions).map(([name, own]) => [
      name,
      concat([broadcastTo(unconditional[name]!, own.shape), own], 0),
    ]),
  );
  const predicted = model.predict(source, twice(xt), twice(level.t), both);
  const without = sliceAxis(predicted, 0, 0, batch);
  const own = sliceAxis(predicted, 0, batch, 2 * batch);
  const clean = (prediction: Tensor) => cleanSample(model.prediction, xt, prediction, level);
  return { guided: clean(guided(without, own, scale)), conditional: () => clean(own) };
}

/** unconditional + scale (conditional - unconditional). */
export function guided(unconditional: Tensor, conditional: Tensor, scale: number | Tensor): Tensor {
  return add(unconditional, mul(sub(conditional, unconditional), scale));
}

/**
 * G(z): the clean samples read off one prediction; z [B, ...] standard normal. A few-step generator's last ones; new noise in between is
 * the same every time.
 */
export function generate(model: DiffusionModel, source: ParameterSource, z: Tensor, conditions: Conditions): Tensor {
  const { scale } = model.calledAt;
  const [count] = z.shape as [number];
  let level = levelAt(z.graph, model.calledAt, count);
  let xt = scale === 1 ? z : mul(z, scale);
  let x = denoise(model, source, xt, level, conditions);
  for (const [i, point] of (model.calledAgain ?? []).entries()) {
    const next = levelAt(z.graph, point, count);
    const noise = () => z.graph.constant(z.shape, stream(0, 'generate', 'again', i).randn(sizeOf(z.shape)));
    xt = model.deterministic ? ddimStep(xt, x, level, next) : noised(x, noise(), next);
    x = denoise(model, source, xt, next, conditions);
    level = next;
  }
  return x;
}

/** The same level for every sample of a batch, as constants. */
function levelAt(graph: Graph, { t, alpha, sigma }: LevelPoint, count: number): Level {
  const all = (value: number) => graph.constant([count], new Float32Array(count).fill(value));
  return { t: all(t), alpha: alpha === 1 ? null : all(alpha), sigma: all(sigma) };
}

/**
 * The model's own denoising loss on samples x [B, ...]: mean(weight |mu - x|^2) where it weights, else the plain mean square
 * error of its prediction (for a network that predicts v, the same loss in epsilon would carry a factor that leaves the high
 * noise levels all but untrained).
 */
export function denoisingLoss(
  model: DiffusionModel,
  source: ParameterSource,
  { x, noise, level, conditions }: { x: Tensor; noise: Tensor; level: Level; conditions: Conditions },
): { xt: Tensor; denoised: Tensor; weight: Tensor | null; loss: Tensor } {
  const { prediction: type, lossWeight } = model;
  const xt = noised(x, noise, level);
  const prediction = model.predict(source, xt, level.t, conditions);
  const denoised = cleanSample(type, xt, prediction, level);
  if (lossWeight) {
    const weight = over(lossWeight(level.sigma), x);
    return { xt, denoised, weight, loss: mean(mul(weight, square(sub(denoised, x)))) };
  }
  const target = targetOf(onTensors, type, x, noise, over(level.alpha ?? ones(level.sigma), x), over(level.sigma, x));
  return { xt, denoised, weight: null, loss: mean(square(sub(prediction, target))) };
}

/** Declares a level's inputs [count], each named with the suffix. */
export function levelInputs(graph: Graph, { numbers, roles }: NoiseLevels, count: number, suffix = ''): Level {
  const inputs = Object.fromEntries(
    Object.keys(numbers).map((name) => [name, graph.input(`${name}${suffix}`, [count])] as const),
  );
  return { t: inputs[roles.t]!, alpha: roles.alpha ? inputs[roles.alpha]! : null, sigma: inputs[roles.sigma]! };
}

/** What those inputs are fed for levels by index. */
export function levelFeeds(
  { numbers }: NoiseLevels,
  indices: readonly number[],
  suffix = '',
): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, of]) => [
      `${name}${suffix}`,
      { shape: [indices.length], data: Float32Array.from(indices, of) },
    ]),
  );
}

/** Declares the inputs of the conditions of `count` samples, each under its name. */
export function conditionInputs(
  graph: Graph,
  { conditions }: DiffusionModel,
  count: number,
  name = (of: string) => of,
): Conditions {
  return Object.fromEntries(
    Object.entries(conditions).map(([of, shape]) => [of, graph.input(name(of), [count, ...shape])]),
  );
}

/** What the inputs of a level are fed where it is one point for all. */
export function pointFeeds(
  { numbers, roles }: NoiseLevels,
  { t, alpha, sigma }: LevelPoint,
  count: number,
  suffix = '',
): Record<string, TensorData> {
  return Object.fromEntries(
    Object.keys(numbers).map((name) => {
      const value = name === roles.alpha ? alpha : name === roles.sigma ? sigma : t;
      return [`${name}${suffix}`, { shape: [count], data: new Float32Array(count).fill(value) }];
    }),
  );
}
