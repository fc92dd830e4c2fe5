/**
 * Runs graphs on the CPU through ONNX Runtime's C API. Runs, and the opening of programs, happen on another thread, one after the
 * other in the order in which they were asked for; results lie in memory that was there before (memory.ts says how it goes around).
 */
import type { Graph, Shape } from '../../../graph/graph.ts';
import { lowerGraph } from '../../../graph/onnx/emit.ts';
import { encodeModel } from '../../../graph/onnx/proto.ts';
import { gather, type HalfData, type TensorData } from '../../../graph/tensor-data.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { Capabilities } from '../../capabilities.ts';
import { Crossings } from '../../crossings.ts';
import {
  type CompileOptions,
  checkedFeed,
  type Declared,
  type DeviceTensor,
  declared,
  type Engine,
  type Feed,
  isDeviceTensor,
  type Program,
  RunEnded,
  type RunOptions,
} from '../../engine.ts';
import { ortCapabilities } from '../capabilities.ts';
import { channelBlock } from '../channel-block.ts';
import { type AddressOf, type Home, Memory, ownMemory, takeFrom } from './memory.ts';
import { Session, type Surroundings } from './session.ts';
import { HostTensor } from './tensor.ts';

/** @param threads 0: one per physical core */
export function createCApiEngine(around: Surroundings, threads: number): Engine {
  return new CApiEngine(around, threads);
}

class CApiEngine implements Engine {
  readonly device: string;
  readonly crossings = new Crossings();
  readonly address: AddressOf;
  readonly #around: Surroundings;
  readonly #threads: number;
  readonly #sessions = new Set<Session>();
  /** Settles when native code is left. */
  #free: Promise<unknown> = Promise.resolve();

  constructor(around: Surroundings, threads: number) {
    this.#around = around;
    this.#threads = threads;
    this.device = threads > 0 ? `cpu (${threads} threads)` : 'cpu';
    this.address = (array) => around.library.koffi.address(array);
    forgotten.register(this, this.#sessions);
    living.add(this.#sessions);
  }

  capabilities(): Promise<Capabilities> {
    return ortCapabilities('cpu');
  }

  async compile(graph: Graph, { name = 'program' }: CompileOptions = {}): Promise<Program> {
    const lowered = lowerGraph(graph, { capabilities: await this.capabilities(), blocksKernels: true });
    const [inputs, outputs] = [declared(graph.inputs), declared(graph.outputs)];
    const blocks = lowered.blockedInputs.size > 0 ? await channelBlock() : 0;
    const model = encodeModel(lowered);
    const session = await this.inTurn(async () => {
      try {
        return await Session.open(this.#around, model, { inputs, outputs, threads: this.#threads });
      } catch (error) {
        const message = `${this.device} cannot run '${name}': ${(error as Error).message}`;
        throw new UserError('device', message, '', { cause: error });
      }
    });
    this.#sessions.add(session);
    const blocksOf = (input: string) => (lowered.blockedInputs.has(input) ? blocks : 0);
    return new CApiProgram(this, session, { name, inputs, outputs, blocksOf });
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return new HostTensor(value.shape, ownMemory(value, this.address), this.address);
  }

  async receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    return new HostTensor(shape, new Memory(await gather(shape, slices)), this.address);
  }

  async dispose(): Promise<void> {
    for (const session of this.#sessions) session.abandon();
    for (const session of [...this.#sessions]) await this.close(session);
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
  readonly #homes: Readonly<Record<'inputs' | 'outputs', Map<string, Home>>>;
  #disposed = false;

  constructor(engine: CApiEngine, session: Session, parts: ProgramParts) {
    this.#engine = engine;
    this.#session = session;
    this.#parts = parts;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    const homes = (tensors: ReadonlyMap<string, Declared>) => new Map(Array.from(tensors.keys(), (name) => [name, []]));
    this.#homes = { inputs: homes(parts.inputs), outputs: homes(parts.outputs) };
  }

  async run(feeds: Readonly<Record<string, Feed>>, { signal }: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    this.#refuseDisposed();
    return this.#engine.inTurn(async () => {
      this.#refuseDisposed();
      RunEnded.throwIf(signal, this.#parts.name);
      const fed: Memory[] = [];
      const made: Memory[] = [];
      try {
        for (const [name, input] of this.inputs) {
          fed.push(this.#memoryOf(name, checkedFeed(this.#parts.name, name, input, feeds[name])));
        }
        for (const [name, { shape, type }] of this.outputs) {
          made.push(takeFrom(this.#homes.outputs.get(name)!, shape, type, this.#engine.address));
        }
        await this.#session.run(fed, made, signal);
      } catch (error) {
        for (const memory of made) memory.release();
        if (this.#session.closed) this.#refuseDisposed();
        RunEnded.throwIf(signal, this.#parts.name);
        throw error;
      } finally {
        for (const memory of fed) memory.release();
      }
      return Object.fromEntries(
        Array.from(this.outputs, ([name, { shape }], i) => [
          name,
          new HostTensor(shape, made[i]!, this.#engine.address),
        ]),
      );
    });
  }

  /** The run under way is waited for. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#engine.close(this.#session);
  }

  #refuseDisposed(): void {
    if (this.#disposed || this.#session.closed) throw new Error(`program '${this.#parts.name}' was disposed`);
  }

  /** To be released. */
  #memoryOf(name: string, feed: Feed): Memory {
    const blocks = this.#parts.blocksOf(name);
    if (feed instanceof HostTensor) return feed.inBlocks(blocks).hold();
    if (isDeviceTensor(feed)) throw new Error(`input '${name}' lives on another engine`);
    const { address } = this.#engine;
    if (blocks > 0) return new HostTensor(feed.shape, new Memory(feed.data), address).inBlocks(blocks);
    return ownMemory(feed, address, this.#homes.inputs.get(name)!);
  }
}
