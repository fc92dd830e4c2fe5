/** A student's samples in as many steps as it takes now, by one program that is run that often: in the place of G(z) as a graph. */
import {
  type Declared,
  type DeviceTensor,
  type Engine,
  type Feed,
  isDeviceTensor,
  type Program,
} from '../../engine/engine.ts';
import type { DmdShape } from '../dmd/graphs.ts';
import { sampleStepGraph } from './graphs.ts';
import type { Step } from './stages.ts';

export class StudentSampler implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: Program['outputs'];
  readonly #program: Program;
  readonly #scale: number;
  readonly #steps: () => readonly Step[];

  private constructor(program: Program, scale: number, steps: () => readonly Step[]) {
    this.#program = program;
    this.#scale = scale;
    this.#steps = steps;
    this.outputs = program.outputs;
    const { xt, sigma: _, sigmaNext: _next, ...others } = Object.fromEntries(program.inputs);
    this.inputs = new Map(Object.entries({ z: xt!, ...others }));
  }

  /** @param steps those of the student as it is when it is sampled */
  static async create(
    engine: Engine,
    shape: DmdShape,
    { count, name, steps }: { readonly count: number; readonly name: string; readonly steps: () => readonly Step[] },
  ): Promise<StudentSampler> {
    const program = await engine.compile(sampleStepGraph(shape, count), { name });
    return new StudentSampler(program, shape.student.calledAt.scale, steps);
  }

  /** x of z on the host, and of what else the program takes. */
  async run({ z, ...feeds }: Readonly<Record<string, Feed>>): Promise<Record<string, DeviceTensor>> {
    if (!z || isDeviceTensor(z)) throw new Error('samples begin with noise on the host');
    const count = z.shape[0]!;
    const all = (value: number) => ({ shape: [count], data: new Float32Array(count).fill(value) });
    let xt: Feed = { shape: z.shape, data: z.data.map((value) => this.#scale * value) };
    for (const { at, next } of this.#steps()) {
      const before: Feed = xt;
      const { x } = await this.#program.run({ ...feeds, xt: before, sigma: all(at), sigmaNext: all(next) });
      if (isDeviceTensor(before)) before.dispose();
      xt = x!;
    }
    return { x: xt as DeviceTensor };
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}
