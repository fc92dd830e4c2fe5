/** Where a run that was let go is to stop again, and whether it goes back first. */
import { UserError } from '../protocol/errors.ts';
import type { Between } from '../training/iteration.ts';
import type { Edits } from './edits.ts';
import type { DebugHost } from './host.ts';
import type { Standing, Why } from './stop.ts';

type Move =
  | { readonly to: 'nowhere' }
  /** Before the next iteration's first stage. */
  | { readonly to: 'entry' }
  | { readonly to: 'next'; readonly reason: 'step' | 'pause' }
  | { readonly to: 'stage'; readonly stage: string }
  /** A place of this iteration. */
  | { readonly to: 'ordinal'; readonly ordinal: number };

export class Moves {
  readonly #host: DebugHost;
  readonly #edits: Edits;
  #move: Move = { to: 'nowhere' };
  #back: { readonly checkpoint: number | null } | null = null;

  constructor(host: DebugHost, edits: Edits) {
    this.#host = host;
    this.#edits = edits;
  }

  reset(entry: boolean): void {
    this.#move = { to: entry ? 'entry' : 'nowhere' };
    this.#back = null;
  }

  /** Whether stages are to be watched for it. */
  get watches(): boolean {
    return this.#move.to === 'next' || this.#move.to === 'stage' || this.#move.to === 'ordinal';
  }

  get entry(): boolean {
    return this.#move.to === 'entry';
  }

  /** Whether the next stop is near: the run is not said to run until then. */
  get isStep(): boolean {
    return this.#move.to === 'next' || this.#move.to === 'ordinal';
  }

  get goesBack(): boolean {
    return this.#back !== null;
  }

  /** Whether to go back, once. */
  takeBack(): { readonly checkpoint: number | null } | null {
    const back = this.#back;
    this.#back = null;
    return back;
  }

  next(reason: 'step' | 'pause'): void {
    this.#move = { to: 'next', reason };
  }

  /** Throws UserError('usage') for a stage that the listing has not. */
  stage(stage: string): void {
    if (!this.#host.listing.some((line) => line.stage === stage)) {
      throw new UserError('usage', `no line of this run's algorithm is '${stage}'`, 'See its listing.');
    }
    this.#move = { to: 'stage', stage };
  }

  /** To the stage before; to the first one where `restart`. Throws UserError('usage') where there is none. */
  back({ between, place }: Standing, restart?: { readonly keep: boolean }): void {
    if (!between || (place.ordinal === 0 && !restart)) {
      const message = `there is no stage before this one in iteration ${place.step}`;
      throw new UserError('usage', message, 'The iterations before are committed: go back to a checkpoint.');
    }
    const ordinal = restart ? 0 : place.ordinal - 1;
    if (!restart) this.#edits.keepUpTo(ordinal);
    else if (!restart.keep) this.#edits.clear();
    this.#move = { to: 'ordinal', ordinal };
    this.#back = { checkpoint: null };
  }

  /** Throws UserError('usage') where there is no such checkpoint. */
  checkpoint(step: number): void {
    const known = this.#host.checkpoints();
    if (!known.includes(step)) {
      const hint = known.length > 0 ? `There are those of steps ${known.join(', ')}.` : 'There is none yet.';
      throw new UserError('usage', `this run has no checkpoint of step ${step}`, hint);
    }
    this.#move = { to: 'entry' };
    this.#back = { checkpoint: step };
  }

  /** Whether a stage is on the way to a place that was stood at before: nothing is told there again. */
  passes({ ordinal }: Between): boolean {
    return this.#move.to === 'ordinal' && ordinal < this.#move.ordinal;
  }

  /** Whether it has come to where it was to stop. */
  arrived({ stage, ordinal }: Between): Why | null {
    const move = this.#move;
    const stopped = (reason: Why['reason']): Why => ({ reason, text: `after '${stage}'`, hits: [], rule: null });
    if (move.to === 'next') return stopped(move.reason);
    if (move.to === 'stage' && move.stage === stage) return stopped('goto');
    return move.to === 'ordinal' && ordinal >= move.ordinal ? stopped('step') : null;
  }
}
