/**
 * Runs graphs through ONNX Runtime's C API, on the CPU or on a device with memory of its own (place.ts). Runs, and the opening of programs, happen on another thread, one after the
 * other in the order in which they were asked for; results lie in memory that was there before (memory.ts says how it goes around).
 */
import type { Graph, Shape } from '../../../graph/graph.ts';
import { lowerGraph } from '../../../graph/onnx/emit.ts';
import { encodeModel } from '../../../graph/onnx/proto.ts';
import type { HalfData, TensorData } from '../../../graph/tensor-data.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { Capabilities } from '../../capabilities.ts';
import type { Crossings } from '../../crossings.ts';
import {
  type CompileOptions,
  checkedFeed,
  type Declared,
  type DeviceTensor,
  declared,
  type Engine,
  type Feed,
  type Program,
  RunEnded,
  type RunOptions,
} from '../../engine.ts';
import { channelBlock } from '../channel-block.ts';
import { HostPlace } from './host-place.ts';
import { Home, type Room } from './memory.ts';
import type { Place } from './place.ts';
import { Session, type Surroundings } from './session.ts';

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
  /** Settles when native code is left. */
  #free: Promise<unknown> = Promise.resolve();

  constructor(around: Surroundings, threads: number, place: Place) {
    this.#around = around;
    this.#threads = threads;
    this.place = place;
    this.device = place.device;
    this.crossings = place.crossings;
    forgotten.register(this, this.#sessions);
    living.add(this.#sessions);
  }

  capabilities(): Promise<Capabilities> {
    return this.place.capabilities();
  }

  async compile(graph: Graph, { name = 'program' }: CompileOptions = {}): Promise<Program> {
    const capabilities = await this.capabilities();
    // On a graphics card it was not tried.
    const hidesShapes = this.#around.cuda === null;
    const lowered = lowerGraph(graph, { capabilities, blocksKernels: true, hidesShapes });
    const [inputs, outputs] = [declared(graph.inputs), declared(graph.outputs)];
    const blocks = lowered.blockedInputs.size > 0 ? await channelBlock() : 0;
    const model = encodeModel(lowered);
    const session = await this.inTurn(async () => {
      try {
        return await Session.open(this.#around, model, { inputs, outputs, threads: this.#threads });
      } catch (error) {
        const worded = this.place.worded(error, `cannot run '${name}'`);
        if (worded instanceof UserError) throw worded;
        const message = `${this.device} cannot run '${name}': ${(error as Error).message}`;
        throw new UserError('device', message, '', { cause: error });
      }
    });
    this.#sessions.add(session);
    const blocksOf = (input: string) => (lowered.blockedInputs.has(input) ? blocks : 0);
    return new CApiProgram(this, session, { name, inputs, outputs, blocksOf });
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return this.place.upload(value);
  }

  receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    return this.place.receive(shape, slices);
  }

  async dispose(): Promise<void> {
    for (const session of this.#sessions) session.abandon();
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

/** Sessions of the engines that were not let go of yet. */
const living = new Set<Set<Session>>();

/** An engine that nobody knows any more has no run under way: a run knows it. */
const forgotten = new FinalizationRegistry(closeAll);

function closeAll(sessions: Set<Session>): void {
  for (const session of sessions) session.close();
  sessions.clear();
  living.delete(sessions);
}

/** At the end of a thread: closes every session that does not run; those that do are told to end. */
export function leaveSessions(): void {
  for (const session of [...living].flatMap((sessions) => [...sessions])) {
    if (session.running) session.abandon();
    else session.close();
  }
}

interface ProgramParts {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  /** Channels per block in which the session takes an input; 0: as it is. */
  readonly blocksOf: (input: string) => number;
}

class CApiProgram implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly #engine: CApiEngine;
  readonly #session: Session;
  readonly #parts: ProgramParts;
  /** Free memory by input, for numbers of the host on their way in, and by output. */
  readonly #homes: Readonly<Record<'inputs' | 'outputs', Map<string, Home<Room>>>>;
  #disposed = false;

  constructor(engine: CApiEngine, session: Session, parts: ProgramParts) {
    this.#engine = engine;
    this.#session = session;
    this.#parts = parts;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    const homes = (tensors: ReadonlyMap<string, Declared>) =>
      new Map(Array.from(tensors.keys(), (name) => [name, new Home<Room>()]));
    this.#homes = { inputs: homes(parts.inputs), outputs: homes(parts.outputs) };
  }

  async run(feeds: Readonly<Record<string, Feed>>, { signal }: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    this.#refuseDisposed();
    return this.#engine.inTurn(async () => {
      this.#refuseDisposed();
      RunEnded.throwIf(signal, this.#parts.name);
      const fed: Room[] = [];
      const made: Room[] = [];
      const { place } = this.#engine;
      try {
        for (const [name, input] of this.inputs) {
          const feed = checkedFeed(this.#parts.name, name, input, feeds[name]);
          const home = this.#homes.inputs.get(name)!;
          fed.push(place.read({ name, feed, home, blocks: this.#parts.blocksOf(name) }));
        }
        for (const [name, output] of this.outputs) made.push(place.room(output, this.#homes.outputs.get(name)!));
        await this.#session.run(fed, made, signal);
      } catch (error) {
        for (const memory of made) memory.release();
        if (this.#session.closed) this.#refuseDisposed();
        RunEnded.throwIf(signal, this.#parts.name);
        throw place.worded(error, `'${this.#parts.name}' failed`);
      } finally {
        for (const memory of fed) memory.release();
      }
      return Object.fromEntries(
        Array.from(this.outputs, ([name, { shape }], i) => [name, place.result(name, shape, made[i]!)]),
      );
    });
  }

  /** The run under way is waited for. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#engine.close(this.#session);
    for (const homes of Object.values(this.#homes)) for (const home of homes.values()) home.close();
  }

  #refuseDisposed(): void {
    if (this.#disposed || this.#session.closed) throw new Error(`program '${this.#parts.name}' was disposed`);
  }
}
