/** The generator's half of an iteration, compiled for the weight of the config, and for another once a person asks for one. */
import type { Engine } from '../../engine/engine.ts';
import { inParts } from '../../engine/sharing.ts';
import { StagedProgram } from '../../training/staged-program.ts';
import { type DmdShape, generatorGraph, generatorStages } from './graphs.ts';
import type { MatchingWeight } from './matching.ts';

export class GeneratorPrograms {
  readonly #engine: Engine;
  readonly #shape: DmdShape;
  readonly #own: StagedProgram;
  #other: { readonly weight: MatchingWeight; readonly program: StagedProgram } | null = null;

  private constructor(engine: Engine, shape: DmdShape, own: StagedProgram) {
    this.#engine = engine;
    this.#shape = shape;
    this.#own = own;
  }

  static async create(engine: Engine, shape: DmdShape): Promise<GeneratorPrograms> {
    return new GeneratorPrograms(engine, shape, await compile(engine, shape));
  }

  /** Not while one that it gave runs. */
  async of(weight: MatchingWeight): Promise<StagedProgram> {
    const { matching } = this.#shape;
    if (!matching || weight === matching.weight) return this.#own;
    if (this.#other?.weight === weight) return this.#other.program;
    const program = await compile(this.#engine, { ...this.#shape, matching: { ...matching, weight } });
    await this.#other?.program.dispose();
    this.#other = { weight, program };
    return program;
  }

  async dispose(): Promise<void> {
    await this.#own.dispose();
    await this.#other?.program.dispose();
  }
}

const compile = (engine: Engine, shape: DmdShape) =>
  StagedProgram.compile(engine, {
    ...{ name: 'generator', stages: generatorStages },
    ...inParts(shape, generatorGraph),
  });
