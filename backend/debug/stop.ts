/** Where a run stands, and what is known there. */
import type { Place, Stop } from '../protocol/debug-requests.ts';
import type { Between } from '../training/iteration.ts';
import { HeldTensors } from './held.ts';
import { Queue } from './queue.ts';

export type Why = Pick<Stop, 'reason' | 'text' | 'hits' | 'rule'>;

export class Standing {
  /** Null between two iterations. */
  readonly between: Between | null;
  readonly place: Place;
  readonly why: Why;
  readonly held: HeldTensors;
  /** One thing at a time is done with what is held. */
  readonly queue = new Queue();

  constructor(between: Between | null, place: Place, why: Why) {
    this.between = between;
    this.place = place;
    this.why = why;
    this.held = new HeldTensors(between);
  }
}

export function placeOf({ step, micro, stage, ordinal }: Between): Place {
  return { step, micro, stage, ordinal };
}
