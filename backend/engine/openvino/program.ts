/** A compiled model and its one request for inference: runs come one after the other, off the JavaScript thread. */
import type { Graph } from '../../graph/graph.ts';
import { type NumberType, sizeOf } from '../../graph/tensor-data.ts';
import {
  checkedFeed,
  type Declared,
  type DeviceTensor,
  declared,
  type Feed,
  isDeviceTensor,
  type Program,
  RunEnded,
  type RunOptions,
} from '../engine.ts';
import { aligned } from '../onnxruntime/c-api/memory.ts';
import { cells, type OpenVinoLibrary, type Pointer } from './library.ts';
import { type Numbers, OpenVinoTensor } from './tensor.ts';

export interface ProgramOptions {
  readonly core: Pointer;
  readonly model: Pointer;
  readonly device: string;
  readonly properties: readonly (readonly [key: string, value: string])[];
  readonly name: string;
  readonly graph: Graph;
  /** Inputs that something reads: the others OpenVINO does not know. */
  readonly read: ReadonlySet<string>;
  readonly forget: (program: OpenVinoProgram) => void;
}

export class OpenVinoProgram implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly #library: OpenVinoLibrary;
  readonly #name: string;
  readonly #read: ReadonlySet<string>;
  readonly #forget: (program: OpenVinoProgram) => void;
  readonly #compiled: Pointer;
  readonly #request: Pointer;
  /** The runs so far. */
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(library: OpenVinoLibrary, compiled: Pointer, { name, graph, read, forget }: ProgramOptions) {
    this.#library = library;
    this.#compiled = compiled;
    this.#name = name;
    this.#read = read;
    this.#forget = forget;
    this.inputs = declared(graph.inputs);
    this.outputs = declared(graph.outputs);
    this.#request = library.create('ov_compiled_model_create_infer_request', compiled);
  }

  /** Throws OpenVinoFailure. */
  static async compile(library: OpenVinoLibrary, options: ProgramOptions): Promise<OpenVinoProgram> {
    const { core, model, device, properties } = options;
    const made = cells(1);
    const pairs = library.properties(properties);
    await library.callAsync('ov_core_compile_model_props', core, model, device, properties.length, pairs, made);
    return new OpenVinoProgram(library, made[0]!, options);
  }

  run(feeds: Readonly<Record<string, Feed>>, options: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    const run = this.#last.then(() => this.#run(feeds, options));
    this.#last = run.catch(() => {});
    return run;
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#last;
    this.#library.release('request', this.#request);
    this.#library.release('compiled', this.#compiled);
    this.#forget(this);
  }

  async #run(feeds: Readonly<Record<string, Feed>>, { signal }: RunOptions): Promise<Record<string, DeviceTensor>> {
    RunEnded.throwIf(signal, this.#name);
    if (this.#disposed) throw new Error(`program '${this.#name}' was disposed`);
    const library = this.#library;
    const bound: Pointer[] = [];
    const bind = (name: string, numbers: Numbers, shape: readonly number[]) => {
      const tensor = library.tensorOver(numbers, shape);
      bound.push(tensor);
      library.call('ov_infer_request_set_tensor', this.#request, name, tensor);
    };
    const held: Numbers[] = [];
    const end = () => library.call('ov_infer_request_cancel', this.#request);
    try {
      for (const [name, input] of this.inputs) {
        const numbers = this.#fed(name, checkedFeed(this.#name, name, input, feeds[name]));
        held.push(numbers);
        if (this.#read.has(name)) bind(name, numbers, input.shape);
      }
      const results: Record<string, OpenVinoTensor> = {};
      for (const [name, { shape, type }] of this.outputs) {
        const numbers = this.#room(sizeOf(shape), type);
        bind(name, numbers, shape);
        results[name] = new OpenVinoTensor(shape, numbers);
      }
      signal?.addEventListener('abort', end);
      library.call('ov_infer_request_start_async', this.#request);
      await library.callAsync('ov_infer_request_wait', this.#request);
      return results;
    } catch (error) {
      RunEnded.throwIf(signal, this.#name);
      throw error;
    } finally {
      signal?.removeEventListener('abort', end);
      held.length = 0;
      for (const tensor of bound) library.release('tensor', tensor);
    }
  }

  /** Numbers of the host are copied: whoever gave them may change them while the run goes on. */
  #fed(name: string, feed: Feed): Numbers {
    if (feed instanceof OpenVinoTensor) return feed.numbers;
    if (isDeviceTensor(feed)) throw new Error(`input '${name}' lives on another engine`);
    const numbers = this.#room(feed.data.length, 'float32');
    numbers.set(feed.data);
    return numbers;
  }

  #room(count: number, type: NumberType): Numbers {
    return aligned(count, type, (array) => this.#library.koffi.address(array));
  }
}
