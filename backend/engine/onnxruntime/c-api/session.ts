/** A model opened through the C API, and its runs. Handles of tensors live for one run; the session's until it is closed. */
import { bytesPerNumber, type NumberType } from '../../../graph/tensor-data.ts';
import type { Declared } from '../../engine.ts';
import { Arena } from './arena.ts';
import { DeviceMemory } from './device-memory.ts';
import { type HandleKind, type Library, type Pointer, pointers } from './library.ts';
import { Memory, type Room } from './memory.ts';
import { disabledOptimizers } from './optimizers.ts';

/** ONNXTensorElementDataType. */
const elementTypes: Readonly<Record<NumberType, number>> = { float32: 1, float16: 10 };
/** GraphOptimizationLevel: all. */
const allOptimizations = 99;
const [errorsOnly, fatalOnly] = [3, 4];
/**
 * How long a thread of the runtime's turns in circles for more work before it sleeps: about what waking it costs, so that it never
 * wastes much more than the better of turning and sleeping would, and a core with nothing to do soon belongs to others
 * (docs/performance.md).
 */
const spinMicroseconds = '50';
/** OrtAllocatorType and OrtMemType of memory that a caller brings. */
const [deviceAllocator, defaultMemory] = [0, 0];

/** Inputs or outputs by name. */
export type Tensors = ReadonlyMap<string, Declared & Lying>;

/** Where a tensor lies: unless given at the beginning of the memory that is as many-th as it. */
interface Lying {
  /** Which of the memories that a run is given, from 0. */
  readonly memory?: number;
  /** Byte of it. */
  readonly from?: number;
}

/** The environment that sessions are made in, and how memory of the host is called; one of each for a thread. */
export interface Surroundings {
  readonly library: Library;
  readonly env: Pointer;
  readonly hostMemory: Pointer;
  readonly arena: Arena;
  /** Null for the CPU alone. */
  readonly cuda: Cuda | null;
}

/** How sessions take CUDA's provider. */
export interface Cuda {
  /** How its memory is called. */
  readonly memory: Pointer;
  /** Provider options by their names in ONNX Runtime's documentation. */
  readonly options: Readonly<Record<string, string>>;
}

export function openSurroundings(library: Library, cuda: (env: Pointer) => Cuda | null = () => null): Surroundings {
  const env = library.create('env', 'createEnv', errorsOnly, 'dmd');
  return {
    library,
    env,
    hostMemory: library.create('memoryInfo', 'createCpuMemoryInfo', deviceAllocator, defaultMemory),
    arena: new Arena(library, env),
    cuda: cuda(env),
  };
}

export function closeSurroundings({ library, env, hostMemory, cuda }: Surroundings): void {
  if (cuda) library.release('memoryInfo', cuda.memory);
  library.release('memoryInfo', hostMemory);
  library.release('env', env);
}

interface SessionOptions {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  readonly threads: number;
  /** Further entries of the session's configuration. */
  readonly config?: Readonly<Record<string, string>>;
  /** Its errors are answers: nothing is written of them. */
  readonly quiet?: boolean;
  /** Aborted when nobody wants it any more: opening it then ends in the middle. */
  readonly signal?: AbortSignal;
}

/** Gives up each session that is being opened. */
const opening = new Set<() => void>();

export function giveUpOpening(): void {
  for (const giveUp of opening) giveUp();
}

/** How every session of the surroundings is opened. */
export function setOptions({ library, cuda }: Surroundings, options: Pointer, threads: number): void {
  library.call('setLogSeverityLevel', options, errorsOnly);
  library.call('setGraphOptimizationLevel', options, allOptimizations);
  library.call('addSessionConfigEntry', options, 'optimization.disable_specified_optimizers', disabledOptimizers);
  // A plan of a run's memory would be one block for all of it, beside what the first run took piece by piece.
  library.call('disableMemPattern', options);
  library.call('addSessionConfigEntry', options, 'session.use_env_allocators', '1');
  library.call('setIntraOpNumThreads', options, threads);
  library.call('setInterOpNumThreads', options, 1);
  library.call('addSessionConfigEntry', options, 'session.intra_op.spin_duration_us', spinMicroseconds);
  if (cuda) appendCuda(library, options, cuda);
}

function appendCuda(library: Library, options: Pointer, cuda: Cuda): void {
  const provider = library.create('cudaOptions', 'createCudaOptions');
  try {
    const keys = texts(library, Object.keys(cuda.options));
    const values = texts(library, Object.values(cuda.options));
    library.call('updateCudaOptions', provider, keys.addresses, values.addresses, keys.addresses.length);
    library.call('appendCuda', options, provider);
  } finally {
    library.release('cudaOptions', provider);
  }
}

export class Session {
  readonly #around: Surroundings;
  readonly #inputs: Places;
  readonly #outputs: Places;
  #handle: Pointer | null;
  /** Runs under way: their options, and what they read and write, which is referenced here until they are over. */
  readonly #underWay = new Map<Pointer, unknown>();
  #abandoned = false;

  private constructor(around: Surroundings, handle: Pointer, inputs: Tensors, outputs: Tensors) {
    this.#around = around;
    this.#handle = handle;
    this.#inputs = places(around.library, inputs);
    this.#outputs = places(around.library, outputs);
  }

  /** @param model as `encodeModel` writes it. @param threads 0: one per physical core. Throws NativeFailure, also when it was given up. */
  static async open(
    around: Surroundings,
    model: Uint8Array,
    { inputs, outputs, threads, config = {}, quiet = false, signal }: SessionOptions,
  ): Promise<Session> {
    const { library, env, arena } = around;
    arena.enter();
    const options = library.create('sessionOptions', 'createSessionOptions');
    const giveUp = () => library.call('setLoadCancellation', options, true);
    try {
      opening.add(giveUp);
      signal?.addEventListener('abort', giveUp);
      setOptions(around, options, threads);
      if (quiet) library.call('setLogSeverityLevel', options, fatalOnly);
      for (const [key, value] of Object.entries(config)) library.call('addSessionConfigEntry', options, key, value);
      const { byteLength } = model;
      const session = await library.createAsync('session', 'createSessionFromArray', env, model, byteLength, options);
      return new Session(around, session, inputs, outputs);
    } catch (error) {
      arena.leave();
      throw error;
    } finally {
      opening.delete(giveUp);
      signal?.removeEventListener('abort', giveUp);
      library.release('sessionOptions', options);
    }
  }

  /**
   * Runs once, off the JavaScript thread; several runs may be under way. `inputs` and `outputs` are memories in the order of those that
   * were declared, unless these say which is theirs, and an output lies in no memory that a run reads. Throws NativeFailure, also when the run was ended.
   */
  async run(inputs: readonly Room[], outputs: readonly Room[], signal?: AbortSignal): Promise<void> {
    if (this.#handle === null) throw new Error('the session is closed');
    const { library } = this.#around;
    const options = library.create('runOptions', 'createRunOptions');
    this.#underWay.set(options, { inputs, outputs });
    const made: [HandleKind, Pointer][] = [['runOptions', options]];
    const end = () => library.call('setTerminate', options);
    try {
      const values = [this.#inputs, this.#outputs].map((declared, side) => {
        const memories = side === 0 ? inputs : outputs;
        const handles = pointers(declared.all.length);
        for (const [i, { shape, memory, from }] of declared.all.entries()) {
          handles[i] = makeValue(this.#around, memories[memory]!, shape, from);
          made.push(['value', handles[i]!]);
        }
        return handles;
      });
      this.#underWay.set(options, { inputs, outputs, values });
      signal?.addEventListener('abort', end);
      const [fed, given] = values;
      await library.callAsync(
        'run',
        ...[this.#handle, options, this.#inputs.names, fed, fed!.length],
        ...[this.#outputs.names, given!.length, given],
      );
    } finally {
      signal?.removeEventListener('abort', end);
      this.#underWay.delete(options);
      for (const [kind, handle] of made) library.release(kind, handle);
    }
  }

  get running(): boolean {
    return this.#underWay.size > 0;
  }

  /** Whether it takes no more runs. */
  get closed(): boolean {
    return this.#handle === null || this.#abandoned;
  }

  /** It will be closed: it takes no more runs, and those under way end. */
  abandon(): void {
    this.#abandoned = true;
    this.end();
  }

  /** Ends the runs under way, each at its next operation. */
  end(): void {
    for (const options of this.#underWay.keys()) this.#around.library.call('setTerminate', options);
  }

  /** Not while it runs. */
  close(): void {
    if (this.running) throw new Error('the session still runs');
    if (this.#handle === null) return;
    this.#around.library.release('session', this.#handle);
    this.#handle = null;
    this.#around.arena.leave();
  }
}

/** A tensor over memory that is there, to be released. @param from byte of the memory at which it begins */
export function makeValue(around: Surroundings, room: Room, shape: BigInt64Array, from = 0): Pointer {
  const { library, hostMemory, cuda } = around;
  const [info, start] = place();
  const bytes = bytesPerNumber[room.type] * Number(shape.reduce((product, length) => product * length, 1n));
  return library.create(
    ...(['value', 'createTensorWithData', info, start + BigInt(from), bytes] as const),
    ...[shape, shape.length, elementTypes[room.type]],
  );

  function place(): [Pointer, Pointer] {
    if (room instanceof DeviceMemory && cuda) return [cuda.memory, room.address];
    if (room instanceof Memory) return [hostMemory, library.koffi.address(room.numbers)];
    throw new Error('the tensor lies where these surroundings know no memory');
  }
}

/** Lengths as the runtime takes them. */
export function lengthsOf(shape: readonly number[]): BigInt64Array {
  const lengths = new BigInt64Array(new ArrayBuffer(8 * shape.length));
  for (const [axis, length] of shape.entries()) lengths[axis] = BigInt(length);
  return lengths;
}

/** How inputs or outputs are told to a run. */
interface Places {
  /** Addresses of their names. */
  readonly names: BigUint64Array;
  readonly all: readonly (Required<Lying> & { readonly shape: BigInt64Array })[];
  /** What the addresses point to. */
  readonly text: Uint8Array;
}

function places(library: Library, tensors: Tensors): Places {
  const { addresses: names, text } = texts(library, [...tensors.keys()]);
  const all = Array.from(tensors.values(), ({ shape, memory, from = 0 }, i) => {
    return { shape: lengthsOf(shape), memory: memory ?? i, from };
  });
  return { names, all, text };
}

/** Texts as C has them, and where each begins. */
function texts(library: Library, strings: readonly string[]) {
  const bytes = Buffer.from([...strings, ''].join('\0'));
  const text = new Uint8Array(new ArrayBuffer(bytes.length));
  text.set(bytes);
  const addresses = pointers(strings.length);
  let at: bigint = library.koffi.address(text);
  for (const [i, string] of strings.entries()) {
    addresses[i] = at;
    at += BigInt(Buffer.byteLength(string) + 1);
  }
  return { addresses, text };
}
