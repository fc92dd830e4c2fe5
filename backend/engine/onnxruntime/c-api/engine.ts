/**
 * Runs graphs through ONNX Runtime's C API, on the CPU or on a device with memory of its own (place.ts). Runs happen on another thread,
 * one after the other in the order in which they were asked for; on the CPU the parts of a shared program run side by side, and programs
 * are opened side by side, as far as threads allow. Results lie in memory that was there before (memory.ts says how it goes around).
 */
import { availableParallelism } from 'node:os';
import { graphCost } from '../../../graph/cost.ts';
import type { Graph, Shape } from '../../../graph/graph.ts';
import { lowerGraph } from '../../../graph/onnx/emit.ts';
import type { InputView } from '../../../graph/onnx/input-views.ts';
import { encodeModel } from '../../../graph/onnx/proto.ts';
import { bytesPerNumber, type HalfData, sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { Capabilities } from '../../capabilities.ts';
import type { Crossings } from '../../crossings.ts';
import {
  type CompileOptions,
  type Declared,
  type DeviceTensor,
  declared,
  type Engine,
  type Program,
  RunEnded,
} from '../../engine.ts';
import { isDivided, partsOf, type Sharing } from '../../sharing.ts';
import { channelBlock } from '../channel-block.ts';
import { HostPlace } from './host-place.ts';
import type { Place } from './place.ts';
import { CApiProgram } from './program.ts';
import { giveUpOpening, Session, type Surroundings, type Tensors } from './session.ts';
import { SharedProgram } from './shared-program.ts';
import { Slots } from './slots.ts';

/** Runs, or programs that are opened, side by side. Each takes a thread of Node's pool, which reads and writes files as well. */
const mostRuns = Math.floor(Number(process.env.UV_THREADPOOL_SIZE || 4) / 2);
/** Every part has means over its samples, gradients above all: they may take so much of what the whole batch's values do. */
const mostOfMeans = 1 / 4;
/** Values of so many bytes are computed in two parts even one after the other: each operator finds more of them in the caches. */
const enoughForTwo = 2 ** 27;

/** @param threads 0: one per physical core. @param place default: memory of the host. */
export function createCApiEngine(around: Surroundings, threads: number, place?: Place): Engine {
  const host = () => new HostPlace((array) => around.library.koffi.address(array), threads);
  return new CApiEngine(around, threads, place ?? host());
}

class CApiEngine implements Engine {
  readonly device: string;
  readonly crossings: Crossings;
  readonly place: Place;
  readonly #around: Surroundings;
  readonly #threads: number;
  readonly #sessions = new Set<Session>();
  /** Aborted when the sessions that are being opened, or wait for it, are wanted no more. */
  #opening = new AbortController();
  readonly #opened = new Set<Promise<unknown>>();
  readonly #slots: Slots;
  /** Settles when native code is left. */
  #free: Promise<unknown> = Promise.resolve();

  constructor(around: Surroundings, threads: number, place: Place) {
    this.#around = around;
    this.#threads = threads;
    this.place = place;
    this.device = place.device;
    this.crossings = place.crossings;
    this.#slots = new Slots(this.#mostAtOnce);
    forgotten.register(this, this.#sessions);
    living.add(this.#sessions);
  }

  capabilities(): Promise<Capabilities> {
    return this.place.capabilities();
  }

  async compile(graph: Graph, { name = 'program', sharing }: CompileOptions = {}): Promise<Program> {
    const shared = sharing && this.#shared(graph, sharing);
    if (!shared) return this.#compile(graph, name, this.#threads);
    const { part, of, atOnce } = shared;
    return new SharedProgram(this, await this.#compile(part, name, this.#threadsBeside(atOnce)), {
      ...{ name, inputs: declared(graph.inputs), outputs: declared(graph.outputs), rows: sharing.rows, of, atOnce },
      address: (array) => this.#around.library.koffi.address(array),
    });
  }

  /** The graph of one of how many parts, and how many run at once; null where it is computed as a whole. */
  #shared(
    graph: Graph,
    sharing: Sharing,
  ): { readonly part: Graph; readonly of: number; readonly atOnce: number } | null {
    if (this.#around.cuda !== null) return null;
    const runs = partsOf(sharing, this.#mostAtOnce);
    const of = Math.max(runs, partsOf(sharing, 2));
    if (of === 1) return null;
    const { peakBytes } = graphCost(graph);
    if (runs === 1 && peakBytes < enoughForTwo) return null;
    const part = sharing.part(of);
    const both = { whole: graph.outputs, part: part.outputs };
    const means = [...graph.outputs].filter(([name]) => !isDivided(name, both));
    const bytes = means.reduce((sum, [, { shape, type }]) => sum + bytesPerNumber[type] * sizeOf(shape), 0);
    return bytes <= mostOfMeans * peakBytes ? { part, of, atOnce: runs } : null;
  }

  get #mostAtOnce(): number {
    return Math.max(1, Math.min(mostRuns, this.#threads || availableParallelism()));
  }

  /** Threads of a session with so many runs at once: each run has its own, and what is left over helps whoever asks first. */
  #threadsBeside(runs: number): number {
    if (this.#threads > 0) return this.#threads - runs + 1;
    return availableParallelism() > runs ? 0 : 1;
  }

  async #compile(graph: Graph, name: string, threads: number): Promise<CApiProgram> {
    const capabilities = await this.capabilities();
    // On a graphics card neither was tried.
    const onHost = this.#around.cuda === null;
    const lowered = lowerGraph(graph, { capabilities, blocksKernels: true, hidesShapes: onHost, viewsInputs: onHost });
    const [inputs, outputs] = [declared(graph.inputs), declared(graph.outputs)];
    const blocks = lowered.blockedInputs.size > 0 ? await channelBlock() : 0;
    const model = encodeModel(lowered);
    const fed = viewedInputs(inputs, lowered.views);
    const opened = this.#open(model, { inputs: fed, outputs, threads, name });
    this.#opened.add(opened);
    const session = await opened.finally(() => this.#opened.delete(opened));
    const blocksOf = (input: string) => (lowered.blockedInputs.has(input) ? blocks : 0);
    return new CApiProgram(this, session, { name, inputs, outputs, blocksOf });
  }

  /** A graphics card's programs are opened while nothing runs there. Throws UserError('device'), RunEnded once it was given up. */
  #open(
    model: Uint8Array,
    { name, ...options }: { name: string; inputs: Tensors; outputs: Tensors; threads: number },
  ): Promise<Session> {
    const { signal } = this.#opening;
    const open = async () => {
      RunEnded.throwIf(signal, name);
      try {
        const session = await Session.open(this.#around, model, { ...options, signal });
        if (signal.aborted) session.close();
        RunEnded.throwIf(signal, name);
        this.#sessions.add(session);
        return session;
      } catch (error) {
        RunEnded.throwIf(signal, name);
        const worded = this.place.worded(error, `cannot run '${name}'`);
        if (worded instanceof UserError) throw worded;
        const message = `${this.device} cannot run '${name}': ${(error as Error).message}`;
        throw new UserError('device', message, '', { cause: error });
      }
    };
    return this.#around.cuda === null ? this.#slots.run(open) : this.inTurn(open);
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return this.place.upload(value);
  }

  receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    return this.place.receive(shape, slices);
  }

  /** Programs that are being compiled are given up: a RunEnded. */
  async dispose(): Promise<void> {
    this.#opening.abort();
    this.#opening = new AbortController();
    for (const session of this.#sessions) session.abandon();
    await Promise.allSettled(this.#opened);
    for (const session of [...this.#sessions]) await this.close(session);
    await this.inTurn(async () => this.place.close());
  }

  /** Does something once what was asked for before is done. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#free.then(work);
    this.#free = turn.catch(() => {});
    return turn;
  }

  close(session: Session): Promise<void> {
    return this.inTurn(async () => {
      session.close();
      this.#sessions.delete(session);
    });
  }
}

/** Inputs as the session takes them: ranges of some in place of the whole, where they lie in its memory. */
function viewedInputs(inputs: ReadonlyMap<string, Declared>, views: readonly InputView[]): Tensors {
  return new Map(
    [...inputs].flatMap(([name, whole], memory) => {
      const ranges = views.filter(({ input }) => input === name);
      if (ranges.length === 0) return [[name, { ...whole, memory }] as const];
      return ranges.map(({ name, from, count, type }) => {
        return [name, { type, shape: [count], memory, from: bytesPerNumber[type] * from }] as const;
      });
    }),
  );
}

/** Sessions of the engines that were not let go of yet. */
const living = new Set<Set<Session>>();

/** An engine that nobody knows any more has no run under way: a run knows it. */
const forgotten = new FinalizationRegistry(closeAll);

function closeAll(sessions: Set<Session>): void {
  for (const session of sessions) session.close();
  sessions.clear();
  living.delete(sessions);
}

/** At the end of a thread: closes every session that does not run; those that do, or are being opened, are told to end. */
export function leaveSessions(): void {
  giveUpOpening();
  for (const session of [...living].flatMap((sessions) => [...sessions])) {
    if (session.running) session.abandon();
    else session.close();
  }
}
