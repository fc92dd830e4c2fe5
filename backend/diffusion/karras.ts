/**
 * The noise levels of Karras et al. 2022 (EDM, Eq. 5): equal steps in sigma^(1/rho).
 *
 * Two forms. `karrasSteps`: float64, descending, for samplers. `karrasSigmas`: float32, ascending, the table that DMD's
 * EDM training draws its levels from by index.
 */
export interface KarrasLevels {
  /** Least noise level. */
  sigmaMin: number;
  /** Greatest noise level. */
  sigmaMax: number;
  /** How strongly the levels crowd toward sigmaMin; 1 would be even spacing. */
  rho: number;
}

/** The levels of DMD and of EDM's sampler: 0.002..80, rho 7. */
export const edmLevels: KarrasLevels = { sigmaMin: 0.002, sigmaMax: 80, rho: 7 };

/** `n` levels from sigmaMax down to sigmaMin (without the final 0); a single level is sigmaMax. */
export function karrasSteps(n: number, { sigmaMin, sigmaMax, rho }: KarrasLevels): number[] {
  const [low, high] = [sigmaMin ** (1 / rho), sigmaMax ** (1 / rho)];
  return Array.from({ length: n }, (_, i) => (high + (i / Math.max(n - 1, 1)) * (low - high)) ** rho);
}

/**
 * DMD's table of `n` >= 2 levels, ascending: index 0 is sigmaMin. Same roundings as the authors' float32 code on a CPU with
 * AVX2 (DMD2, edm_guidance.py, `get_sigmas_karras`), which leaves at most the last bit of the power open.
 */
export function karrasSigmas(n = 1000, { sigmaMin, sigmaMax, rho }: KarrasLevels = edmLevels): Float32Array {
  const [low, high] = [sigmaMin ** (1 / rho), sigmaMax ** (1 / rho)];
  const span = Math.fround(low - high);
  const descending = linspace01(n).map((r) => Math.fround(Math.fround(high) + Math.fround(r * span)) ** rho);
  return descending.reverse();
}

/**
 * `torch.linspace(0, 1, n)` in float32. PyTorch steps up from 0 in the first half and down from 1 in the second, and takes
 * eight numbers at a time: the first by a product, the others by adding to it. That costs up to 2e-6 in sigma, which is
 * why it is done the same way here.
 */
function linspace01(n: number): Float32Array {
  const LANES = 8;
  const step = Math.fround(1 / (n - 1));
  const at = (i: number) => Math.fround(i < Math.floor(n / 2) ? step * i : 1 - step * (n - 1 - i));
  const vectorized = n - (n % (2 * LANES));
  return Float32Array.from({ length: n }, (_, i) => {
    const lane = i < vectorized ? i % LANES : 0;
    return at(i - lane) + lane * step;
  });
}
