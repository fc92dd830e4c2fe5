/** What a noise level is called, in charts and in fields alike. */
import { number } from './format.ts';
import { fill } from './initial.ts';

/**
 * `level 200 · σ 0.31`, or the part of it that is known.
 * @param text `level {0}` in the person's language
 * @param level as in the config: an index of EDM's levels, or a timestep
 * @param sigma NaN or null where it is not known
 */
export function levelName(text: string, level: number | string | null, sigma: number | null = null): string {
  const known = sigma !== null && Number.isFinite(sigma);
  const parts = [level === null ? '' : fill(text, level), known ? `σ\u00a0${number(sigma, 3)}` : ''];
  return parts.filter(Boolean).join(' · ');
}
