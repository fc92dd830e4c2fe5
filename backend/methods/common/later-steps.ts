/** The calls of a few-step generator after its first, as a config names them. */
import type { DiffusionModel, LevelPoint } from '../../models/diffusion-model.ts';
import { UserError } from '../../protocol/errors.ts';

/**
 * The levels that a config names, as the network is told them. Throws UserError('config') for those that the model does not have, or that
 * do not lie below the first call.
 */
export function laterSteps(at: readonly number[], { levels, calledAt }: DiffusionModel): LevelPoint[] {
  const { roles, numbers, count } = levels;
  const whole = roles.alpha !== null;
  return at.map((level) => {
    const known = whole ? Number.isInteger(level) && level < count : level > 0;
    if (known && level < calledAt.t) {
      if (!whole) return { t: level, alpha: 1, sigma: level };
      return { t: level, alpha: numbers[roles.alpha!]!(level), sigma: numbers[roles.sigma]!(level) };
    }
    const what = whole ? `whole timesteps from 0 to ${calledAt.t - 1}` : `noise levels above 0 and below ${calledAt.t}`;
    const message = `steps.at: ${level} is no step of this generator, which begins at ${calledAt.t}`;
    throw new UserError('config', message, `Its further steps are ${what}.`);
  });
}
