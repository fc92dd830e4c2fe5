/** The words for what cannot be done where the run is. */
import { UserError } from '../protocol/errors.ts';

export const notStanding = () =>
  new UserError('usage', 'the run does not stand at a stop', 'Pause it, or set a breakpoint.');

export const notAttached = () =>
  new UserError('usage', 'this debugger is not attached to the run (any more)', 'Attach it again.');

export const alreadyDebugged = () =>
  new UserError(
    'locked',
    'another debugger is attached to this run',
    'Detach it there first; several may watch, one debugs.',
  );

/** An iteration was given up to be computed again, from the same draws or, after going back, from a checkpoint. */
export class IterationAgain extends Error {
  /** Go back to this checkpoint first. */
  readonly checkpoint: number | null;

  constructor(step: number, checkpoint: number | null = null) {
    super(`iteration ${step} is computed again`);
    this.name = 'IterationAgain';
    this.checkpoint = checkpoint;
  }
}
