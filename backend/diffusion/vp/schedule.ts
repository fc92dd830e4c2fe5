/**
 * Variance preserving noise schedules as diffusers' schedulers define them: x_t = alpha_t x_0 + sigma_t eps at whole timesteps
 * t = 0 .. T - 1, with alpha_t = sqrt(alphas_cumprod[t]) and sigma_t = sqrt(1 - alphas_cumprod[t]).
 *
 * The table is float32, since that rounding is part of what published models were trained with; everything read off it is
 * float64. PyTorch multiplies up in float64 and rounds each product, and so does this.
 */
import { UserError } from '../../protocol/errors.ts';
import { type NoiseConfig, resolveModelConfig } from './scheduler-config.ts';

export interface VpSchedule {
  /** T, `num_train_timesteps`. */
  readonly timesteps: number;
  /** alphas_cumprod [T], descending. */
  readonly alphasCumprod: Float32Array;
  /** alpha_t. A `RangeError` where `t` is not one of the timesteps, as for `sigma`. */
  alpha(t: number): number;
  /** sigma_t. */
  sigma(t: number): number;
}

/**
 * The noise schedule of a scheduler_config.json, of whatever class. Throws UserError('config') that names the key where a value
 * is out of range or of a kind that is not known.
 */
export function vpSchedule(schedulerConfig: unknown): VpSchedule {
  return scheduleOf(alphasCumprodOf(resolveModelConfig(schedulerConfig)));
}

/** The schedule with this table. */
export function scheduleOf(alphasCumprod: Float32Array): VpSchedule {
  const at = (t: number) => {
    const product = alphasCumprod[t];
    if (product === undefined) throw new RangeError(`timestep ${t} is not one of 0 .. ${alphasCumprod.length - 1}`);
    return product;
  };
  return {
    timesteps: alphasCumprod.length,
    alphasCumprod,
    alpha: (t) => Math.sqrt(at(t)),
    sigma: (t) => Math.sqrt(1 - at(t)),
  };
}

/** PNDM's config does not know the key. */
type Betas = Omit<NoiseConfig, 'rescale_betas_zero_snr'> & Partial<NoiseConfig>;

/** alphas_cumprod [T] in float32. */
export function alphasCumprodOf(config: Betas): Float32Array {
  const betas = betasOf(config);
  const wrong = betas.findIndex((beta) => !(beta >= 0 && beta < 1));
  if (wrong >= 0) {
    const message = `The noise schedule's beta is ${betas[wrong]} at timestep ${wrong}, where it must lie in [0, 1).`;
    throw new UserError('config', message, 'Check beta_start, beta_end and trained_betas of scheduler_config.json.');
  }
  return cumulativeProduct(config.rescale_betas_zero_snr ? zeroTerminalSnr(betas) : betas);
}

function betasOf({ num_train_timesteps: count, beta_schedule, beta_start, beta_end, trained_betas }: Betas) {
  if (trained_betas) return Float32Array.from(trained_betas);
  switch (beta_schedule) {
    case 'linear':
      return linspace(beta_start, beta_end, count);
    case 'scaled_linear':
      return linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), count).map((root) => root * root);
    case 'squaredcos_cap_v2':
      return cosineBetas(count);
  }
}

/** `torch.linspace` in float32: up from the start in the first half, down from the end in the second. */
function linspace(start: number, end: number, count: number): Float32Array {
  const [low, high] = [Math.fround(start), Math.fround(end)];
  const step = count > 1 ? Math.fround(Math.fround(high - low) / (count - 1)) : 0;
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) || count === 1 ? low + step * i : high - step * (count - 1 - i),
  );
}

/** Nichol and Dhariwal 2021: alpha-bar is a squared cosine, each beta at most 0.999. */
function cosineBetas(count: number): Float32Array {
  const alphaBar = (u: number) => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  return Float32Array.from({ length: count }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
  );
}

function cumulativeProduct(betas: Float32Array): Float32Array {
  let product = 1;
  return betas.map((beta) => {
    product *= Math.fround(1 - beta);
    return product;
  });
}

/** Shifts and scales sqrt(alpha-bar) so that it ends in 0 (Lin et al. 2023, Algorithm 1), in float32. */
function zeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeProduct(betas).map(Math.sqrt);
  const [first, last] = [roots[0]!, roots.at(-1)!];
  const factor = Math.fround(first / Math.fround(first - last));
  const products = roots.map((root) => Math.fround(Math.fround(root - last) * factor)).map((root) => root * root);
  return products.map((product, t) => 1 - (t === 0 ? product : Math.fround(product / products[t - 1]!)));
}
