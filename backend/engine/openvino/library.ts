/** OpenVINO's C library: the few functions of it that the engine calls, by their names (openvino/c/openvino.h). */
import type { LibraryHandle } from 'koffi';
import { CallsUnderWay, type Koffi, loadKoffi, type NativeFunction } from '../../native/koffi.ts';

/** An address, or a handle of the library's. */
export type Pointer = bigint;

/** What they take; each returns a status, 0 where all went well, and what it makes through its last argument. */
const functions = {
  ov_core_create: ['void *'],
  ov_core_get_available_devices: ['void *', 'void *'],
  ov_core_get_property: ['void *', 'str', 'str', 'void *'],
  ov_core_read_model_from_memory_buffer: ['void *', 'void *', 'size_t', 'void *', 'void *'],
  ov_core_compile_model_props: ['void *', 'void *', 'str', 'size_t', 'void *', 'void *'],
  ov_compiled_model_create_infer_request: ['void *', 'void *'],
  ov_infer_request_set_tensor: ['void *', 'str', 'void *'],
  ov_infer_request_start_async: ['void *'],
  ov_infer_request_wait: ['void *'],
  ov_infer_request_cancel: ['void *'],
  ov_get_openvino_version: ['void *'],
} as const;

const releases = {
  core: 'ov_core_free',
  model: 'ov_model_free',
  compiled: 'ov_compiled_model_free',
  request: 'ov_infer_request_free',
  tensor: 'ov_tensor_free',
  devices: 'ov_available_devices_free',
  version: 'ov_version_free',
  text: 'ov_free',
} as const;

type FunctionName = keyof typeof functions;
type HandleKind = keyof typeof releases;

/** ov_element_type_e of float16 and float32. */
const [float16, float32] = [3, 4];

/** The library refused a call; the message is its own. */
export class OpenVinoFailure extends Error {}

export class OpenVinoLibrary {
  readonly koffi: Koffi;
  /** E.g. 2026.4.1. */
  readonly version: string;
  /** Kept, or koffi would let the library go. */
  readonly #handle: LibraryHandle;
  readonly #functions: Readonly<Record<FunctionName, NativeFunction>>;
  readonly #releases: Readonly<Record<HandleKind, NativeFunction>>;
  readonly #lastError: NativeFunction;
  readonly #tensorAt: NativeFunction;
  /** What calls under way on other threads were given: referenced here until they return. */
  readonly #underWay = new CallsUnderWay();

  /** Throws an Error that says why the library cannot be used. */
  constructor(path: string) {
    this.koffi = loadKoffi();
    this.#handle = this.koffi.load(path);
    const named = (name: string, result: string, types: readonly unknown[]) =>
      this.#handle.func(name, result, types as string[]) as NativeFunction;
    this.#functions = record(functions, (name, types) => named(name, 'int', types));
    this.#releases = record(releases, (_, name) => named(name, 'void', ['void *']));
    this.#lastError = named('ov_get_last_err_msg', 'str', []);
    const shape = this.koffi.struct({ rank: 'int64', dims: 'void *' });
    this.#tensorAt = named('ov_tensor_create_from_host_ptr', 'int', ['int', shape, 'void *', 'void *']);
    this.version = this.#readVersion();
  }

  /** Throws OpenVinoFailure. */
  call(name: FunctionName, ...values: unknown[]): void {
    this.#check(this.#functions[name](...values));
  }

  /** The same on a thread of Node's pool. */
  callAsync(name: FunctionName, ...values: unknown[]): Promise<void> {
    return this.#underWay.run(this.#functions[name], values, (status) => this.#check(status));
  }

  /** What a function makes, whose last argument says where to put it. */
  create(name: FunctionName, ...values: unknown[]): Pointer {
    const cell = cells(1);
    this.call(name, ...values, cell);
    return cell[0]!;
  }

  /** A tensor over numbers of ours, which are kept as long as it is. */
  tensorOver(numbers: Float32Array | Uint16Array, shape: readonly number[]): Pointer {
    const cell = cells(1);
    const lengths = new BigInt64Array(new ArrayBuffer(8 * shape.length));
    for (const [axis, length] of shape.entries()) lengths[axis] = BigInt(length);
    const dims = shape.length === 0 ? null : lengths;
    const type = numbers instanceof Uint16Array ? float16 : float32;
    this.#check(this.#tensorAt(type, { rank: shape.length, dims }, this.koffi.address(numbers), cell));
    return cell[0]!;
  }

  /** Keys and values as an array of ov_property_t, which is two addresses; what they point to lies behind it. */
  properties(pairs: readonly (readonly [key: string, value: string])[]): BigUint64Array {
    const words = pairs.flat();
    const text = Buffer.from(words.map((word) => `${word}\0`).join(''));
    const buffer = new ArrayBuffer(8 * words.length + text.length);
    new Uint8Array(buffer, 8 * words.length).set(text);
    const addresses = new BigUint64Array(buffer, 0, words.length);
    let at = this.koffi.address(addresses) + BigInt(8 * words.length);
    for (const [i, word] of words.entries()) {
      addresses[i] = at;
      at += BigInt(Buffer.byteLength(word) + 1);
    }
    return addresses;
  }

  release(kind: HandleKind, handle: Pointer | BigUint64Array): void {
    this.#releases[kind](handle);
  }

  /** E.g. CPU, GPU.0, NPU. */
  devices(core: Pointer): string[] {
    const found = cells(2);
    this.call('ov_core_get_available_devices', core, found);
    const names = Array.from({ length: Number(found[1]) }, (_, i) => this.#text(found[0]! + BigInt(8 * i)));
    this.release('devices', found);
    return names;
  }

  /** Throws OpenVinoFailure for a property that the device does not have. */
  property(core: Pointer, device: string, name: string): string {
    const cell = cells(1);
    this.call('ov_core_get_property', core, device, name, cell);
    const text = this.#text(this.koffi.address(cell));
    this.release('text', cell[0]!);
    return text;
  }

  #readVersion(): string {
    const found = cells(2);
    this.call('ov_get_openvino_version', found);
    const build = this.#text(this.koffi.address(found));
    this.release('version', found);
    return build.split('-')[0]!;
  }

  /** The text whose address lies at an address. */
  #text(at: bigint): string {
    return String(this.koffi.decode(at, 'str'));
  }

  #check(status: unknown): void {
    if (status === 0) return;
    throw new OpenVinoFailure(`${this.#lastError()} (status ${status})`.replace(/\s+/g, ' ').trim());
  }
}

/** Room for addresses that native code may write: outside of V8's heap, which moves things. */
export const cells = (count: number): BigUint64Array<ArrayBuffer> => new BigUint64Array(new ArrayBuffer(8 * count));

function record<K extends string, A, B>(of: Readonly<Record<K, A>>, make: (name: K, value: A) => B): Record<K, B> {
  const entries = (Object.entries(of) as [K, A][]).map(([name, value]) => [name, make(name, value)] as const);
  return Object.fromEntries(entries) as Record<K, B>;
}
