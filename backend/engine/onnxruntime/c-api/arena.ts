/**
 * Where sessions keep what they compute on the way: one memory for all of them. They run one after the other, so that the halves of an
 * iteration need no more than the larger of them does. It is given back when the last session closes.
 *
 * The environment that it is registered with is the process's. Where several threads open sessions, each registers its own in place
 * of the one before: a session keeps what it was opened with, and has memory of its own where nothing is registered.
 */
import { type Library, NativeFailure, type Pointer } from './library.ts';

/** OrtAllocatorType and OrtMemType. */
const [arenaAllocator, defaultMemory] = [1, 0];
/** Powers of two, in which what was freed joins again; what is never touched takes no memory. */
const growth = 0;
const asTheRuntimeHasIt = -1;
const noLimit = 0;

export class Arena {
  readonly #library: Library;
  readonly #env: Pointer;
  #sessions = 0;

  constructor(library: Library, env: Pointer) {
    this.#library = library;
    this.#env = env;
  }

  /** Before a session is opened, which must say that it takes the environment's memory. */
  enter(): void {
    this.#sessions++;
    if (this.#sessions > 1) return;
    const library = this.#library;
    const growing = [growth, asTheRuntimeHasIt, asTheRuntimeHasIt] as const;
    const config = library.create('arenaConfig', 'createArenaConfig', noLimit, ...growing);
    try {
      this.#called((info) => library.call('createAndRegisterAllocator', this.#env, info, config));
    } finally {
      library.release('arenaConfig', config);
    }
  }

  /** After a session was closed, or could not be opened. */
  leave(): void {
    this.#sessions--;
    if (this.#sessions > 0) return;
    try {
      this.#called((info) => this.#library.call('unregisterAllocator', this.#env, info));
    } catch (error) {
      // Another thread has done so.
      if (!(error instanceof NativeFailure)) throw error;
    }
  }

  #called(change: (info: Pointer) => void): void {
    const info = this.#library.create('memoryInfo', 'createCpuMemoryInfo', arenaAllocator, defaultMemory);
    try {
      change(info);
    } finally {
      this.#library.release('memoryInfo', info);
    }
  }
}
