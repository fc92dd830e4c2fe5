/** The two programs that show scores without training on them: x = G(z), and both scores of x at a noise level. */
import type { DeviceTensor, Engine, Feed, Program } from '../../engine/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import type { ConditionSource, HostTensors } from '../../models/conditions.ts';
import type { Chunks } from '../../training/network-state.ts';
import { type DmdShape, isGuided, unconditionalName } from './graphs.ts';

/** Parameters as they are; `teacher` [] where nothing needs it. They are only read. */
export interface ScoredNetworks {
  readonly generator: Chunks;
  readonly fake: Chunks;
  readonly teacher: Chunks;
}

type Feeds = Readonly<Record<string, Feed>>;

const fieldNames = ['xt', 'muReal', 'muConditional', 'muFake', 'grad'];

export class ScorePrograms {
  readonly #generate: Program;
  readonly #scores: Program;

  private constructor(generate: Program, scores: Program) {
    this.#generate = generate;
    this.#scores = scores;
  }

  /** @param graphs generateGraph and scoresGraph of one shape. @param name of whom they are */
  static async compile(
    engine: Engine,
    graphs: { readonly generate: Graph; readonly scores: Graph },
    name: string,
  ): Promise<ScorePrograms> {
    const [generate, scores] = await Promise.all([
      engine.compile(graphs.generate, { name: `${name}: generate` }),
      engine.compile(graphs.scores, { name: `${name}: scores` }),
    ]);
    return new ScorePrograms(generate, scores);
  }

  /** x of z, conditions and networks; feeds that it does not take are left aside. */
  async generate(feeds: Feeds): Promise<DeviceTensor> {
    const { x } = await this.#generate.run(taken(this.#generate, feeds));
    return x!;
  }

  /** The score fields of x, by name, on the host. */
  async scores(feeds: Feeds): Promise<Map<string, Float32Array>> {
    const results = await this.#scores.run(taken(this.#scores, feeds));
    const fields = new Map<string, Float32Array>();
    for (const [name, tensor] of Object.entries(results)) {
      if (fieldNames.includes(name)) fields.set(name, (await tensor.read()).slice());
      tensor.dispose();
    }
    return fields;
  }

  async dispose(): Promise<void> {
    await this.#generate.dispose();
    await this.#scores.dispose();
  }
}

/** What guidance starts from, as the programs are fed it; {} without guidance. */
export function unconditionalFeeds(shape: DmdShape, { unconditional }: ConditionSource): HostTensors {
  const guides = isGuided(shape) ? (unconditional ?? {}) : {};
  return Object.fromEntries(Object.entries(guides).map(([name, value]) => [unconditionalName(name), value]));
}

function taken({ inputs }: Program, feeds: Feeds): Record<string, Feed> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name)));
}
