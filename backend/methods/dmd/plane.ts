/**
 * What a run in the plane shows between two iterations: where its samples are, and both scores on a grid at any noise level, beside
 * those that are known in closed form. Noise of its own and parameters that are only read: a run that is looked at keeps its bits.
 */

import { type Mixture, stdsOf } from '../../data/mixture.ts';
import { type Cells, densityIn, middles, scoreAt } from '../../data/points/closed-form.ts';
import type { Engine, Feed, Program } from '../../engine/engine.ts';
import type { PlaneQuestion, PlaneReading } from '../../protocol/plane.ts';
import { stream } from '../../random/stream.ts';
import { fedAs } from '../../training/iteration.ts';
import type { Chunks } from '../../training/network-state.ts';
import { compileSampler, type DmdShape, scoresGraph } from './graphs.ts';

export interface PlaneNetworks {
  readonly generator: Chunks;
  readonly fake: Chunks;
  readonly teacher: Chunks;
}

export class Plane {
  readonly #engine: Engine;
  readonly #shape: DmdShape;
  readonly #mixture: Mixture;
  /** Of the last sizes that were asked for. */
  #programs:
    | { readonly samples: number; readonly cells: number; readonly generate: Program; readonly scores: Program }
    | undefined;

  /** @param shape without distribution matching there is a real score all the same */
  constructor(engine: Engine, shape: DmdShape, mixture: Mixture) {
    this.#engine = engine;
    this.#shape = { ...shape, matching: shape.matching ?? { weight: 'eq8', realOnly: true } };
    this.#mixture = mixture;
  }

  /** Of networks as they are after `step` iterations. */
  async read(step: number, asked: PlaneQuestion, parameters: PlaneNetworks): Promise<PlaneReading> {
    const { sigma, columns, rows, shade } = asked;
    const { generate, scores } = await this.#compiled(asked.samples, columns * rows);
    // A mixture has no parameters; without distribution matching they are not on the device either.
    const feeds: Record<string, Feed> = { teacher: { shape: [0], data: new Float32Array() } };
    for (const [name, chunks] of Object.entries(parameters)) Object.assign(feeds, fedAs(name, chunks));
    const z = this.#tensor(asked.samples, stream(0, 'plane', 'z').randn(2 * asked.samples));
    const { x: samples } = await read(generate, { ...feeds, z });
    const points = middles(asked);
    const count = columns * rows;
    // Noise of zeros: the points are the noisy samples themselves.
    const noise = this.#tensor(count, new Float32Array(2 * count));
    const level = { shape: [count], data: new Float32Array(count).fill(sigma) };
    const { muReal, muFake } = await read(scores, { ...feeds, x: this.#tensor(count, points), noise, sigma: level });
    const { modes } = this.#mixture;
    const [real, fake] = [stdsOf(this.#mixture).map((std) => std ** 2 + sigma ** 2), sigma ** 2];
    const cells: Cells = { ...asked, columns: columns * shade, rows: rows * shade };
    return {
      ...{ step, sigma, samples: samples!, muReal: muReal!, muFake: muFake ?? null },
      scoreReal: scoreAt(points, modes.flat(), real),
      scoreFake: scoreAt(points, samples!, fake),
      densityReal: densityIn(cells, modes.flat(), real),
      densityFake: densityIn(cells, samples!, fake),
    };
  }

  async dispose(): Promise<void> {
    await this.#programs?.generate.dispose();
    await this.#programs?.scores.dispose();
    this.#programs = undefined;
  }

  async #compiled(samples: number, cells: number) {
    if (this.#programs?.samples === samples && this.#programs.cells === cells) return this.#programs;
    await this.dispose();
    const generate = await compileSampler(this.#engine, this.#shape, samples, 'plane: generate');
    const scores = await this.#engine.compile(scoresGraph(this.#shape, cells), { name: 'plane: scores' });
    this.#programs = { samples, cells, generate, scores };
    return this.#programs;
  }

  #tensor(count: number, data: Float32Array) {
    return { shape: [count, ...this.#shape.student.shape], data };
  }
}

/** A program's outputs on the host, of those feeds that it takes. */
async function read(program: Program, feeds: Readonly<Record<string, Feed>>): Promise<Record<string, Float32Array>> {
  const own = Object.fromEntries(Object.entries(feeds).filter(([name]) => program.inputs.has(name)));
  const found: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(await program.run(own))) {
    found[name] = (await tensor.read()).slice();
    tensor.dispose();
  }
  return found;
}
