/**
 * koffi, which calls C functions. It is loaded here alone, because its settings hold for a whole thread and only until the thread
 * opens its first library.
 */
import { createRequire } from 'node:module';

export type Koffi = typeof import('koffi').default;

/** Native code runs on stacks of koffi's own. Its 128 KiB for calls from a thread of the pool were too few for ONNX Runtime. */
const stackBytes = 8 * 2 ** 20;

let loaded: Koffi | null = null;

/** Throws what Node throws where the package, or its native part for this system, is missing. */
export function loadKoffi(): Koffi {
  if (!loaded) {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    koffi.config({ sync_stack_size: stackBytes, async_stack_size: stackBytes });
    loaded = koffi;
  }
  return loaded;
}

/** Calls on threads of Node's pool. Arrays among the values are kept meanwhile; what bare addresses point to, whoever calls keeps. */
export class CallsUnderWay {
  readonly #values = new Set<readonly unknown[]>();

  get any(): boolean {
    return this.#values.size > 0;
  }

  /** @param check throws for a status that says that the call failed */
  run(called: NativeFunction, values: readonly unknown[], check: (status: unknown) => void): Promise<void> {
    this.#values.add(values);
    return new Promise((resolve, reject) => {
      called.async(...values, (error: unknown, status: unknown) => {
        this.#values.delete(values);
        try {
          if (error) throw error;
          check(status);
          resolve();
        } catch (failure) {
          reject(failure);
        }
      });
    });
  }
}

/** A function as koffi makes them: pointers are bigints, or arrays whose memory they are. Null pointers are null. */
export interface NativeFunction {
  (...values: unknown[]): unknown;
  /** The same on a thread of Node's pool; the last value is called back. */
  async(...values: unknown[]): void;
}
