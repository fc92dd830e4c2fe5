/** Noise levels of an inspection: by index into training's ladder, by sigma or by timestep, with what graphs are fed for them. */
import type { TensorData } from '../../../graph/tensor-data.ts';
import type { NoiseLevels } from '../../../models/diffusion-model.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { LevelChoice, LevelNumbers } from '../../../protocol/inspection.ts';

export interface ChosenLevel {
  readonly numbers: LevelNumbers;
  /** As `levelFeeds`, of one sample. */
  readonly feeds: Readonly<Record<string, TensorData>>;
}

/**
 * A level of the ladder; where the network takes any sigma (EDM), also one between two of them.
 * @throws UserError('usage') for what the ladder does not have
 */
export function chooseLevel(levels: NoiseLevels, choice: LevelChoice): ChosenLevel {
  const timesteps = levels.roles.t !== levels.roles.sigma;
  if (choice.by === 'timestep' && !timesteps) {
    throw new UserError('usage', 'this model has no timesteps', 'Choose a noise level by sigma or by index.');
  }
  if (choice.by !== 'sigma') {
    if (choice.value < levels.count) return ofLadder(levels, choice.value);
    const what = choice.by === 'index' ? 'level' : 'timestep';
    throw new UserError('usage', `there is no ${what} ${choice.value}`, `Choose one of 0 to ${levels.count - 1}.`);
  }
  const index = nearest(levels, choice.value);
  const found = ofLadder(levels, index);
  if (timesteps) return found;
  return {
    numbers: { ...found.numbers, sigma: choice.value },
    feeds: { [levels.roles.sigma]: { shape: [1], data: Float32Array.of(choice.value) } },
  };
}

/** @param index below `levels.count` */
export function ofLadder({ numbers, roles }: NoiseLevels, index: number): ChosenLevel {
  const of = (name: string) => numbers[name]!(index);
  return {
    numbers: {
      index,
      alpha: roles.alpha ? of(roles.alpha) : 1,
      sigma: of(roles.sigma),
      timestep: roles.t === roles.sigma ? null : of(roles.t),
    },
    feeds: Object.fromEntries(
      Object.keys(numbers).map((name) => [name, { shape: [1], data: Float32Array.of(of(name)) }] as const),
    ),
  };
}

/** Ascending in noise. */
function nearest({ count, numbers, roles }: NoiseLevels, sigma: number): number {
  const of = numbers[roles.sigma]!;
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(middle) < sigma) low = middle + 1;
    else high = middle;
  }
  return low > 0 && Math.abs(of(low - 1) - sigma) < Math.abs(of(low) - sigma) ? low - 1 : low;
}
