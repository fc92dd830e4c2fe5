/**
 * Reads several small tensors of the device at once. Each reading waits until all that was asked for is computed and copied over: one
 * is waited for instead of as many as there are tensors. The numbers are the same.
 */
import type { DeviceTensor, Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { byChunk, chunkName, flatten } from '../graph/parameters.ts';
import { sizeOf } from '../graph/tensor-data.ts';

/** The name of its programs. */
export const joinedNumbers = 'numbers of an iteration';

export class JoinedReader {
  readonly #engine: Engine;
  /** By the tensors' shapes, which are the same in every iteration. */
  readonly #joiners = new Map<string, Promise<Program>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The numbers of each, in order. */
  async read(tensors: readonly DeviceTensor[]): Promise<Float32Array[]> {
    const { resident } = await this.#engine.capabilities();
    if (!resident || tensors.length < 2) return Promise.all(tensors.map((tensor) => tensor.read()));
    const joiner = await this.#joinerOf(tensors);
    const { numbers } = await joiner.run(byChunk('report', tensors));
    try {
      const joined = await numbers!.read();
      let start = 0;
      return tensors.map(({ shape }) => {
        const end = start + sizeOf(shape);
        const own = joined.slice(start, end);
        start = end;
        return own;
      });
    } finally {
      numbers!.dispose();
    }
  }

  async dispose(): Promise<void> {
    const joiners = [...this.#joiners.values()];
    this.#joiners.clear();
    for (const joiner of joiners) await (await joiner).dispose();
  }

  #joinerOf(tensors: readonly DeviceTensor[]): Promise<Program> {
    const key = tensors.map(({ shape }) => `[${shape}]`).join();
    let joiner = this.#joiners.get(key);
    if (!joiner) {
      const graph = new Graph();
      graph.output('numbers', flatten(tensors.map(({ shape }, i) => graph.input(chunkName('report', i), shape))));
      joiner = this.#engine.compile(graph, { name: joinedNumbers });
      this.#joiners.set(key, joiner);
    }
    return joiner;
  }
}
