/** What a debugger needs of the run that it is in. */
import type { Engine } from '../engine/engine.ts';
import type { Listing } from '../protocol/debug-requests.ts';
import type { Scalars, Trainer } from '../training/trainer.ts';
import type { Rule } from './rules.ts';

export interface DebugHost {
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly iterations: number;
  readonly listing: Listing;
  /** Besides the debugger's own. */
  readonly rules: readonly Rule[];
  /** An iteration's numbers under the tags that they are recorded by. */
  tags(scalars: Scalars): Scalars;
  /** Stays, and does what is asked meanwhile, as long as the debugger stands. @returns whether to go on; false: the run is to end */
  wait(): Promise<boolean>;
  /** Something changed that `wait` waits for. */
  wake(): void;
  /** For everybody who watches the run. */
  note(level: 'info' | 'warning', text: string): void;
  /** A person changed what the run computes: for its history. */
  intervened(step: number, text: string): void;
  /** Steps of the checkpoints there are, the newest first. */
  checkpoints(): number[];
}
