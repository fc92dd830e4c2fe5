/**
 * The check-up: samples of fixed noise held against the teacher's, and the denoising loss of the fake score on them (samples it
 * was not trained on, at noise that is the same every time, so that two check-ups differ by the networks alone). All its draws
 * are streams of its own and it only reads parameters: a run with check-ups has the bits of one without.
 */
import type { Engine, Feed, Program } from '../../../engine/engine.ts';
import { Graph } from '../../../graph/graph.ts';
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { sampleTags } from '../../../health/tags.ts';
import type { ConditionSource, HostTensors } from '../../../models/conditions.ts';
import { conditionInputs, denoisingLoss, levelFeeds, levelInputs } from '../../../models/diffusion-model.ts';
import { stream } from '../../../random/stream.ts';
import { fedAs } from '../../../training/iteration.ts';
import type { Chunks } from '../../../training/network-state.ts';
import { compileSampler, type DmdShape, parametersOf, trainsFake } from '../graphs.ts';
import { type Reference, referenceOf, sampleVitals } from './samples.ts';
import { cycled, type TeacherSamples } from './teacher-samples.ts';

export interface CheckUpOptions {
  readonly seed: number;
  /** Samples. */
  readonly count: number;
  readonly teacher: TeacherSamples;
}

export class CheckUp {
  readonly #generate: Program;
  /** Null where there is no fake score. */
  readonly #loss: Program | null;
  /** z, noise, the levels' numbers and conditions. */
  readonly #inputs: HostTensors;
  readonly #reference: Reference;
  readonly #known: HostTensors;

  private constructor(
    generate: Program,
    loss: Program | null,
    inputs: HostTensors,
    known: HostTensors,
    reference: Reference,
  ) {
    this.#generate = generate;
    this.#loss = loss;
    this.#inputs = inputs;
    this.#known = known;
    this.#reference = reference;
  }

  static async create(
    engine: Engine,
    shape: DmdShape,
    conditions: ConditionSource,
    { seed, count, teacher }: CheckUpOptions,
  ): Promise<CheckUp> {
    const generate = await compileSampler(engine, shape, count, 'check-up: generate');
    const loss = trainsFake(shape)
      ? await engine.compile(lossGraph(shape, count), { name: 'check-up: fake score' })
      : null;
    const sample = [count, ...shape.student.shape];
    const normal = (what: string) => ({ shape: sample, data: stream(seed, 'health', what).randn(sizeOf(sample)) });
    const { levels } = shape.student;
    // Spread evenly: a draw would leave parts of the ladder out.
    const indices = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * levels.count) / count));
    const inputs = { z: normal('z'), noise: normal('noise'), ...levelFeeds(levels, indices) };
    const own = await conditions.feeds(conditions.inTurn(count));
    const { y, conditions: ofY } = cycled(teacher, count);
    return new CheckUp(generate, loss, { ...inputs, ...own }, { x: y, ...ofY }, referenceOf(teacher.y));
  }

  /** Of networks as they are, by tag. */
  async read(parameters: { generator: Chunks; fake: Chunks; teacher: Chunks }): Promise<Record<string, number>> {
    const feeds: Record<string, Feed> = { ...this.#inputs };
    for (const [name, chunks] of Object.entries(parameters)) Object.assign(feeds, fedAs(name, chunks));
    const { x } = await this.#generate.run(taken(this.#generate, feeds));
    try {
      const samples: TensorData = { shape: x!.shape, data: (await x!.read()).slice() };
      const vitals = sampleVitals(samples, this.#reference);
      if (!this.#loss) return vitals;
      const [fresh, known] = [
        await this.#losses({ ...feeds, x: x! }),
        await this.#losses({ ...feeds, ...this.#known }),
      ];
      const { freshFake, freshTeacher, knownFake, knownTeacher } = sampleTags;
      return {
        ...vitals,
        ...{ [freshFake]: fresh.lossFake!, [freshTeacher]: fresh.lossTeacher! },
        ...{ [knownFake]: known.lossFake!, [knownTeacher]: known.lossTeacher! },
      };
    } finally {
      x!.dispose();
    }
  }

  async #losses(feeds: Record<string, Feed>): Promise<Record<string, number>> {
    const results = await this.#loss!.run(taken(this.#loss!, feeds));
    const found: Record<string, number> = {};
    for (const [name, tensor] of Object.entries(results)) {
      found[name] = (await tensor.read())[0]!;
      tensor.dispose();
    }
    return found;
  }

  async dispose(): Promise<void> {
    await this.#generate.dispose();
    await this.#loss?.dispose();
  }
}

function taken({ inputs }: Program, feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name)));
}

/** The same denoising loss of fake score and teacher on samples x [count, ...]; outputs lossFake and lossTeacher, each []. */
function lossGraph(shape: DmdShape, count: number): Graph {
  const { student, teacher } = shape;
  const graph = new Graph();
  const parameters = parametersOf(graph, shape);
  const x = graph.input('x', [count, ...student.shape]);
  const inputs = {
    ...{ x, noise: graph.input('noise', x.shape), level: levelInputs(graph, student.levels, count) },
    conditions: conditionInputs(graph, student, count),
  };
  graph.output('lossFake', denoisingLoss(student, parameters.fake(), inputs).loss);
  graph.output('lossTeacher', denoisingLoss(teacher, parameters.real(), inputs).loss);
  return graph;
}
