/**
 * Weights that never change, for the programs of one network. While they are small they are constants of the graphs: the runtime
 * arranges them once more, which makes calls a little faster. Large ones are inputs: compiled in half the time or less, in memory once
 * however many programs there are, and an ONNX model holds at most 2 GB anyway.
 */
import type { Capabilities } from '../engine/capabilities.ts';
import type { DeviceTensor, Engine } from '../engine/engine.ts';
import type { Graph, Shape, Tensor } from '../graph/graph.ts';
import { constantParameters, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';
import { handOver, type TensorData } from '../graph/tensor-data.ts';
import { type ArraySource, collect } from '../weights/array-source.ts';

/** Bytes of float32 weights up to which they are constants, or all but the kernels are. */
export const largestConstants = 2.5e8;
/** From here on kernels of convolutions are inputs where a device takes them in the layout that it computes in: calls are as fast then. */
const smallestKernels = 6.4e7;

export interface FrozenOptions {
  readonly layout: ParameterLayout;
  /** Numbers in memory, or ones that are read as they are placed. */
  readonly read: () => Promise<ReadonlyMap<string, TensorData | ArraySource>>;
  /** Nobody else looks at what `read` gives: inputs go to the device without being there twice. */
  readonly given: boolean;
  /** All are inputs, whatever their size. Default: as the device takes them best. */
  readonly asInputs?: boolean | undefined;
}

/** The parameters in a graph. */
export type SourceOf = (graph: Graph) => ParameterSource;

export interface PlacedWeights {
  readonly source: SourceOf;
  /** What a program with `source` in its graph is fed besides its own inputs. */
  readonly feeds: Readonly<Record<string, DeviceTensor>>;
}

/** Whether a weight of this shape is an input. */
type IsInput = (shape: Shape) => boolean;

export class FrozenWeights {
  readonly #engine: Engine;
  readonly #options: FrozenOptions;
  #placed: Promise<PlacedWeights> | null = null;

  constructor(engine: Engine, options: FrozenOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Where they are: read when that is first asked for. */
  placed(): Promise<PlacedWeights> {
    this.#placed ??= this.#place();
    // What failed, for lack of memory perhaps, may be tried again.
    this.#placed.catch(() => {
      this.#placed = null;
    });
    return this.#placed;
  }

  /** For a graph that may be compiled while they are still being read: where all are inputs it needs no numbers. */
  async source(): Promise<SourceOf> {
    const isInput = await this.#isInput();
    const constants = this.#options.layout.entries.some(({ shape }) => !isInput(shape));
    return constants ? (await this.placed()).source : (graph) => inputParameters(graph);
  }

  async dispose(): Promise<void> {
    const placed = await this.#placed?.catch(() => null);
    for (const tensor of Object.values(placed?.feeds ?? {})) tensor.dispose();
    this.#placed = null;
  }

  async #isInput(): Promise<IsInput> {
    const { asInputs, layout } = this.#options;
    return asInputs ? () => true : inputsOn(await this.#engine.capabilities(), 4 * layout.size);
  }

  async #place(): Promise<PlacedWeights> {
    const { read, given } = this.#options;
    const isInput = await this.#isInput();
    const constants = new Map<string, TensorData>();
    const feeds: Record<string, DeviceTensor> = {};
    try {
      for (const [name, value] of await read()) {
        if (!isInput(value.shape)) constants.set(name, 'data' in value ? value : await collect(value));
        else if ('data' in value) feeds[inputName(name)] = this.#engine.upload(given ? handOver(value) : value);
        else feeds[inputName(name)] = await this.#engine.receive(value.shape, value.slices());
      }
    } catch (error) {
      // A file that turns out damaged half-way leaves nothing on the device.
      for (const tensor of Object.values(feeds)) tensor.dispose();
      throw error;
    }
    const source = (graph: Graph): ParameterSource => {
      const [inputs, others] = [inputParameters(graph), constantParameters(graph, constants)];
      return { graph, get: (name, shape, init) => (isInput(shape) ? inputs : others).get(name, shape, init) };
    };
    return { source, feeds };
  }
}

function inputsOn({ sharesConstants, channelBlock }: Capabilities, bytes: number): IsInput {
  if (sharesConstants) return () => false;
  if (bytes > largestConstants) return () => true;
  if (channelBlock === 0 || bytes < smallestKernels) return () => false;
  return ([, , height = 1, width = 1]) => height * width > 1;
}

/** Parameters as inputs of the graph, each declared when it is first asked for. */
function inputParameters(graph: Graph): ParameterSource {
  const made = new Map<string, Tensor>();
  return {
    graph,
    get(name, shape) {
      let tensor = made.get(name);
      if (!tensor) {
        tensor = graph.input(inputName(name), shape);
        made.set(name, tensor);
      }
      return tensor;
    },
  };
}

/** No parameter shall have the name of another input. */
const inputName = (name: string) => `weights/${name}`;
