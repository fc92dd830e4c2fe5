/**
 * A program whose outputs come to exist stage by stage. It runs as one, as fast as it can; only when somebody has changed a value
 * between two stages does the rest run again from the values as they are then, as a program of its own that is compiled when it is
 * first needed.
 */
import type { Engine, Feed, Program } from '../engine/engine.ts';
import type { Sharing } from '../engine/sharing.ts';
import type { Graph } from '../graph/graph.ts';
import { restGraph } from '../graph/rest-graph.ts';

/** A stage's name, and the outputs that exist once it is done. */
export type Stage = readonly [name: string, outputs: readonly string[]];

export interface StagedOptions {
  readonly name: string;
  readonly graph: Graph;
  /** In the order in which they are computed; an output's chunks (`gradient.1`) belong to it. */
  readonly stages: readonly Stage[];
  /** How the graph may be computed in parts; as a whole unless given. */
  readonly sharing?: Sharing | undefined;
}

export class StagedProgram {
  /** Those that have any output in this graph, in order. */
  readonly stages: readonly Stage[];
  readonly #engine: Engine;
  readonly #graph: Graph;
  readonly #program: Program;
  readonly #rests = new Map<number, Promise<Program>>();

  private constructor(engine: Engine, { graph, stages }: StagedOptions, program: Program) {
    this.#engine = engine;
    this.#graph = graph;
    this.#program = program;
    const outputs = [...graph.outputs.keys()];
    this.stages = stages
      .map(([name, own]): Stage => [name, outputs.filter((output) => own.includes(output.replace(/\.\d+$/, '')))])
      .filter(([, own]) => own.length > 0);
  }

  static async compile(engine: Engine, options: StagedOptions): Promise<StagedProgram> {
    const { name, graph, sharing } = options;
    return new StagedProgram(engine, options, await engine.compile(graph, { name, sharing }));
  }

  get graph(): Graph {
    return this.#graph;
  }

  /** All of it, from whatever of `feeds` it takes. */
  run(feeds: Readonly<Record<string, Feed>>) {
    return this.#program.run(taken(this.#program, feeds));
  }

  /** The outputs of the stages after number `stage`, from those before as they are among the feeds. */
  async runAfter(stage: number, feeds: Readonly<Record<string, Feed>>) {
    if (!this.#rests.has(stage)) this.#rests.set(stage, this.#compileAfter(stage));
    const rest = await this.#rests.get(stage)!;
    return rest.run(taken(rest, feeds));
  }

  #compileAfter(stage: number): Promise<Program> {
    const given = this.stages.slice(0, stage + 1).flatMap(([, outputs]) => outputs);
    return this.#engine.compile(restGraph(this.#graph, given), { name: `after ${this.stages[stage]![0]}` });
  }

  async dispose(): Promise<void> {
    await this.#program.dispose();
    for (const rest of this.#rests.values()) await (await rest).dispose();
  }
}

function taken({ inputs }: Program, feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
  return Object.fromEntries([...inputs.keys()].flatMap((name) => (feeds[name] ? [[name, feeds[name]]] : [])));
}
