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

/** A function as koffi makes them: pointers are bigints, or arrays whose memory they are. Null pointers are null. */
export interface NativeFunction {
  (...values: unknown[]): unknown;
  /** The same on a thread of Node's pool; the last value is called back. */
  async(...values: unknown[]): void;
}
