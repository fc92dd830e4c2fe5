/** Whether ONNX Runtime's C API can be used in this thread: tried once, and left in order when the thread ends. */
import { leaveSessions } from './engine.ts';
import { Library } from './library.ts';
import { aligned } from './memory.ts';
import { closeSurroundings, openSurroundings, type Surroundings } from './session.ts';

/** What engines need; or why they cannot be, in a line without a full stop. */
export type CApi = { readonly around: Surroundings } | { readonly reason: string };

let opened: CApi | null = null;

export function openCApi(): CApi {
  opened ??= open();
  return opened;
}

function open(): CApi {
  try {
    const library = new Library();
    tryMemory(library);
    return { around: leaveAtExit(openSurroundings(library)) };
  } catch (error) {
    return { reason: (error as Error).message.replace(/\s+/g, ' ').trim().replace(/\.$/, '') };
  }
}

/** Has them closed when the thread ends. */
export function leaveAtExit(around: Surroundings): Surroundings {
  process.once('exit', () => leave(around));
  return around;
}

/** Throws where native code does not see JavaScript's memory. */
export function tryMemory({ koffi }: Library): void {
  const numbers = aligned(2, 'float32', (array) => koffi.address(array));
  koffi.encode(koffi.address(numbers), 4, 'float', 7);
  if (numbers[1] !== 7) throw new Error("native code does not see this runtime's memory");
}

/** What still runs keeps what it runs in. */
function leave(around: Surroundings): void {
  leaveSessions();
  const { alive, busy } = around.library;
  if (!alive.session && !busy) closeSurroundings(around);
}
