/** A program of the engine over the C API: one session, and the memory that its inputs and outputs go around in. */
import {
  checkedFeed,
  type Declared,
  type DeviceTensor,
  type Feed,
  type Program,
  RunEnded,
  type RunOptions,
} from '../../engine.ts';
import type { Room } from './memory.ts';
import type { Place } from './place.ts';
import type { Session } from './session.ts';

/** What a program needs of its engine. */
export interface Turns {
  readonly place: Place;
  /** Does something once what was asked for before is done. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  close(session: Session): Promise<void>;
}

interface ProgramParts {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  /** Channels per block in which the session takes an input; 0: as it is. */
  readonly blocksOf: (input: string) => number;
}

export class CApiProgram implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly #engine: Turns;
  readonly #session: Session;
  readonly #parts: ProgramParts;
  /** Memory that nobody else could take is let go of. */
  readonly #leavePools: readonly (() => void)[];
  #disposed = false;

  constructor(engine: Turns, session: Session, parts: ProgramParts) {
    this.#engine = engine;
    this.#session = session;
    this.#parts = parts;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    const { pools } = engine.place;
    this.#leavePools = (['inputs', 'outputs'] as const).map((side) => pools[side].expect(parts[side].values()));
  }

  async run(feeds: Readonly<Record<string, Feed>>, options: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    this.refuseDisposed();
    return this.#engine.inTurn(() => this.runNow(feeds, options));
  }

  /** The same for whoever has the turn. */
  async runNow(feeds: Readonly<Record<string, Feed>>, { signal }: RunOptions): Promise<Record<string, DeviceTensor>> {
    this.refuseDisposed();
    RunEnded.throwIf(signal, this.#parts.name);
    const fed: Room[] = [];
    const made: Room[] = [];
    const { place } = this.#engine;
    try {
      for (const [name, input] of this.inputs) {
        const feed = checkedFeed(this.#parts.name, name, input, feeds[name]);
        fed.push(place.read({ name, feed, blocks: this.#parts.blocksOf(name) }));
      }
      for (const output of this.outputs.values()) made.push(place.room(output));
      await this.#session.run(fed, made, signal);
    } catch (error) {
      for (const memory of made) memory.release();
      if (this.#session.closed) this.refuseDisposed();
      RunEnded.throwIf(signal, this.#parts.name);
      throw place.worded(error, `'${this.#parts.name}' failed`);
    } finally {
      for (const memory of fed) memory.release();
    }
    return Object.fromEntries(
      Array.from(this.outputs, ([name, { shape }], i) => [name, place.result(name, shape, made[i]!)]),
    );
  }

  /** The run under way is waited for. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#engine.close(this.#session);
    for (const leave of this.#leavePools) leave();
  }

  refuseDisposed(): void {
    if (this.#disposed || this.#session.closed) throw new Error(`program '${this.#parts.name}' was disposed`);
  }
}
