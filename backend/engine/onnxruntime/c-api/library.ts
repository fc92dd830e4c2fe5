/**
 * ONNX Runtime's C API, in the library that onnxruntime-node ships: the few functions of it that the engine calls. Every handle is
 * made and released here, and counted: nothing else frees them.
 */
import '../no-telemetry.ts';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { CallsUnderWay, type Koffi, loadKoffi, type NativeFunction } from '../../../native/koffi.ts';

/** An address, or a handle of the runtime's. */
export type Pointer = bigint;

/** The version that the places below were looked up in. Functions are only ever added at the end, but nothing else was tried. */
export const tableVersion = '1.30.0';
const apiVersion = 30;

/** Functions that return a status: their place in the table (struct OrtApi of onnxruntime_c_api.h) and what they take. */
const functions = {
  createEnv: [3, ['int', 'str', 'void *']],
  createSessionFromArray: [8, ['void *', 'void *', 'size_t', 'void *', 'void *']],
  run: [9, ['void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']],
  createSessionOptions: [10, ['void *']],
  disableMemPattern: [17, ['void *']],
  setLogSeverityLevel: [22, ['void *', 'int']],
  setGraphOptimizationLevel: [23, ['void *', 'int']],
  setIntraOpNumThreads: [24, ['void *', 'int']],
  setInterOpNumThreads: [25, ['void *', 'int']],
  createRunOptions: [39, ['void *']],
  setTerminate: [46, ['void *']],
  createTensorWithData: [49, ['void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *']],
  createMemoryInfo: [68, ['str', 'int', 'int', 'int', 'void *']],
  createCpuMemoryInfo: [69, ['int', 'int', 'void *']],
  allocatorAlloc: [75, ['void *', 'size_t', 'void *']],
  allocatorFree: [76, ['void *', 'void *']],
  addSessionConfigEntry: [130, ['void *', 'str', 'str']],
  createAllocator: [131, ['void *', 'void *', 'void *']],
  createAndRegisterAllocator: [144, ['void *', 'void *', 'void *']],
  createArenaConfig: [156, ['size_t', 'int', 'int', 'int', 'void *']],
  unregisterAllocator: [177, ['void *', 'void *']],
  appendCuda: [204, ['void *', 'void *']],
  createCudaOptions: [205, ['void *']],
  updateCudaOptions: [206, ['void *', 'void *', 'void *', 'size_t']],
  createAndRegisterAllocatorV2: [259, ['void *', 'str', 'void *', 'void *', 'void *', 'void *', 'size_t']],
  setLoadCancellation: [293, ['void *', 'bool']],
  registerProviderLibrary: [301, ['void *', 'str', 'str']],
  copyTensors: [386, ['void *', 'void *', 'void *', 'void *', 'size_t']],
} as const;

/** What there is to release, and the place of the function that does. */
const releases = {
  env: 92,
  status: 93,
  memoryInfo: 94,
  session: 95,
  value: 96,
  runOptions: 97,
  sessionOptions: 100,
  allocator: 132,
  arenaConfig: 157,
  cudaOptions: 208,
} as const;

type FunctionName = keyof typeof functions;
export type HandleKind = keyof typeof releases;

/** The runtime refused a call; the message is its own. */
export class NativeFailure extends Error {}

export class Library {
  readonly koffi: Koffi;
  /** Kept, or koffi would let the library go. */
  readonly #handle: LibraryHandle;
  readonly #functions: Readonly<Record<FunctionName, NativeFunction>>;
  readonly #releases: Readonly<Record<HandleKind, NativeFunction>>;
  readonly #errorMessage: NativeFunction;
  readonly #alive = new Map<HandleKind, number>();
  /** What calls under way on other threads were given: referenced here until they return. */
  readonly #underWay = new CallsUnderWay();

  /** Throws an Error that says why the library cannot be used so. */
  constructor(path = libraryPath(), version = tableVersion) {
    this.koffi = loadKoffi();
    pin(this.koffi, path);
    this.#handle = opened(this.koffi, path);
    const table = apiTable(this.koffi, this.#handle, version);
    const at = (place: number, result: string, types: readonly string[]) =>
      functionAt(this.koffi, table, place, result, types);
    this.#functions = mapped(functions, ([place, types]) => at(place, 'void *', types));
    this.#releases = mapped(releases, (place) => at(place, 'void', ['void *']));
    this.#errorMessage = at(2, 'str', ['void *']);
  }

  /** Calls a function. Throws NativeFailure. */
  call(name: FunctionName, ...values: unknown[]): void {
    this.#check(this.#functions[name](...values));
  }

  /** The same on a thread of Node's pool. Arrays are kept meanwhile; what bare addresses point to, whoever calls keeps. */
  callAsync(name: FunctionName, ...values: unknown[]): Promise<void> {
    return this.#underWay.run(this.#functions[name], values, (status) => this.#check(status));
  }

  /** Makes a handle by a function whose last argument is where to put it. */
  create(kind: HandleKind, name: FunctionName, ...values: unknown[]): Pointer {
    const cell = pointers(1);
    this.call(name, ...values, cell);
    return this.#made(kind, cell);
  }

  async createAsync(kind: HandleKind, name: FunctionName, ...values: unknown[]): Promise<Pointer> {
    const cell = pointers(1);
    await this.callAsync(name, ...values, cell);
    return this.#made(kind, cell);
  }

  release(kind: HandleKind, handle: Pointer): void {
    this.#releases[kind](handle);
    this.#count(kind, -1);
  }

  /** How many handles of each kind were made and not released. */
  get alive(): Readonly<Partial<Record<HandleKind, number>>> {
    return Object.fromEntries([...this.#alive].filter(([, count]) => count !== 0));
  }

  /** Whether native code runs in another thread. */
  get busy(): boolean {
    return this.#underWay.any;
  }

  #made(kind: HandleKind, cell: BigUint64Array): Pointer {
    this.#count(kind, 1);
    return cell[0]!;
  }

  #check(status: unknown): void {
    if (!status) return;
    this.#count('status', 1);
    const message = String(this.#errorMessage(status));
    this.release('status', status as Pointer);
    throw new NativeFailure(message);
  }

  #count(kind: HandleKind, change: number): void {
    this.#alive.set(kind, (this.#alive.get(kind) ?? 0) + change);
  }
}

/** Room for addresses that native code may read and write: outside of V8's heap, which moves things. */
export const pointers = (count: number): BigUint64Array<ArrayBuffer> => new BigUint64Array(new ArrayBuffer(8 * count));

/** Where onnxruntime-node has it for this system. */
function libraryPath(): string {
  const name = { linux: 'libonnxruntime.so.1', darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' }[
    process.platform as string
  ];
  if (!name) throw new Error(`there is no library for ${process.platform}`);
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch, name);
}

/**
 * Keeps the library in the process. A thread that ends lets go of its libraries, and sessions that it left have threads of their own
 * in there.
 */
function pin(koffi: Koffi, path: string): void {
  const noDelete = { linux: 0x1000, darwin: 0x80 }[process.platform as string];
  // Why it cannot be opened, koffi says when it does so itself.
  if (noDelete !== undefined) dlopen(koffi, path, noDelete);
}

/** Loads a library for others that name it, for as long as the process lives. Throws an Error that says why it cannot be opened. */
export function keepLoaded(koffi: Koffi, path: string): void {
  const global = 0x100;
  opened(koffi, path);
  dlopen(koffi, path, global | 0x1000);
}

function dlopen(koffi: Koffi, path: string, flags: number): void {
  const now = 2;
  (koffi.load(null).func('dlopen', 'void *', ['str', 'int']) as NativeFunction)(path, now | flags);
}

function opened(koffi: Koffi, path: string): LibraryHandle {
  try {
    return koffi.load(path);
  } catch (cause) {
    throw new Error(`${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

/** struct OrtApiBase is GetApi and GetVersionString. */
function apiTable(koffi: Koffi, library: LibraryHandle, known: string): Pointer {
  const base = (library.func('OrtGetApiBase', 'void *', []) as NativeFunction)() as Pointer;
  const version = String(functionAt(koffi, base, 1, 'str', [])());
  if (version !== known) throw new Error(`the library is version ${version}, and ${known} is known`);
  const table = functionAt(koffi, base, 0, 'void *', ['uint32'])(apiVersion);
  if (!table) throw new Error(`the library has no version ${apiVersion} of its interface`);
  return table as Pointer;
}

function functionAt(koffi: Koffi, table: Pointer, place: number, result: string, types: readonly string[]) {
  const address: unknown = koffi.decode(table, 8 * place, 'void *');
  return koffi.decode(address, koffi.proto(result, [...types])) as NativeFunction;
}

function mapped<K extends string, A, B>(record: Readonly<Record<K, A>>, change: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([name, value]) => [name, change(value)] as const)) as Record<
    K,
    B
  >;
}
