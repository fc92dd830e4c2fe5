/** Memory of a device. Its own allocator hands it out, which belongs to a session that stays open as long as the engine: no program's end frees it. */
import type { NumberType } from '../../../graph/tensor-data.ts';
import { type Library, type Pointer, pointers } from './library.ts';
import { type Pool, Room } from './memory.ts';

export class DeviceMemory extends Room {
  readonly address: Pointer;
  readonly #allocator: DeviceAllocator;

  constructor(allocator: DeviceAllocator, type: NumberType, bytes: number, pool: Pool<DeviceMemory> | null = null) {
    super(type, bytes, pool as Pool<Room> | null);
    this.#allocator = allocator;
    this.address = allocator.allocate(bytes);
  }

  protected free(): void {
    this.#allocator.free(this.address);
  }
}

export class DeviceAllocator {
  readonly #library: Library;
  readonly #session: Pointer;
  readonly #handle: Pointer;
  readonly #bytes = new Map<Pointer, number>();
  #closed = false;

  /** Takes the session over. @param memory how the device's memory is called */
  constructor(library: Library, session: Pointer, memory: Pointer) {
    this.#library = library;
    this.#session = session;
    this.#handle = library.create('allocator', 'createAllocator', session, memory);
  }

  /** Bytes that it has handed out. */
  get held(): number {
    let sum = 0;
    for (const bytes of this.#bytes.values()) sum += bytes;
    return sum;
  }

  /** Throws NativeFailure where there is no room. */
  allocate(bytes: number): Pointer {
    const cell = pointers(1);
    this.#library.call('allocatorAlloc', this.#handle, Math.max(bytes, 1), cell);
    this.#bytes.set(cell[0]!, bytes);
    return cell[0]!;
  }

  free(address: Pointer): void {
    if (!this.#bytes.delete(address) || this.#closed) return;
    this.#library.call('allocatorFree', this.#handle, address);
  }

  /** Everything it handed out is freed. */
  close(): void {
    if (this.#closed) return;
    for (const address of [...this.#bytes.keys()]) this.free(address);
    this.#closed = true;
    this.#library.release('allocator', this.#handle);
    this.#library.release('session', this.#session);
  }
}
