/**
 * Which timesteps a sampler visits (Lin et al. 2023, Table 2), descending, with the roundings of diffusers, which come from numpy.
 */
import { UserError } from '../../protocol/errors.ts';

export type Spacing = 'leading' | 'trailing' | 'linspace';

export interface SpacingOptions {
  readonly spacing: Spacing;
  /** Timesteps of the schedule, T. */
  readonly train: number;
  readonly steps: number;
  /** Added to the timesteps of `leading`. */
  readonly offset: number;
}

/**
 * The timesteps of a sampler that ends at timestep 0: whole numbers in [0, T). `linspace` gives fractions with `whole` false.
 * Throws UserError('config') where they would lie outside.
 */
export function spacedTimesteps({ spacing, train, steps, offset }: SpacingOptions, whole = true): number[] {
  switch (spacing) {
    case 'linspace': {
      const stride = steps > 1 ? (train - 1) / (steps - 1) : 0;
      const times = Array.from({ length: steps }, (_, i) => (i === steps - 1 && steps > 1 ? train - 1 : i * stride));
      return times.reverse().map(whole ? roundHalfToEven : Math.fround);
    }
    case 'leading':
      return leading(Math.floor(train / steps), steps, 0, offset, train);
    case 'trailing':
      return trailing(train, train, steps);
  }
}

/**
 * The timesteps of the multistep solvers, which place one more and leave out the least; `last` is one past the greatest that may
 * be visited.
 */
export function solverTimesteps({ spacing, train, steps, offset }: SpacingOptions, last = train): number[] {
  switch (spacing) {
    case 'linspace': {
      const stride = (last - 1) / steps;
      return Array.from({ length: steps }, (_, i) => roundHalfToEven(i === 0 ? last - 1 : (steps - i) * stride));
    }
    case 'leading':
      return leading(Math.floor(last / (steps + 1)), steps, 1, offset, train);
    case 'trailing':
      return trailing(train, last, steps);
  }
}

function leading(ratio: number, steps: number, least: number, offset: number, train: number): number[] {
  const times = Array.from({ length: steps }, (_, i) => (steps - 1 - i + least) * ratio + offset);
  if (times[0]! < train) return times;
  throw new UserError(
    'config',
    `${steps} steps with steps_offset ${offset} would begin at timestep ${times[0]}, past the last one, ${train - 1}.`,
    'Take fewer steps.',
  );
}

/** Where rounding gives numpy one step more than asked for, at timestep -1, that one is left out. */
function trailing(train: number, last: number, steps: number): number[] {
  const stride = last - train / steps - last; // as numpy.arange steps
  const count = Math.min(steps, Math.ceil((0 - last) / -(train / steps)));
  return Array.from({ length: count }, (_, i) => roundHalfToEven(last + i * stride) - 1);
}

/** As numpy rounds. */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
