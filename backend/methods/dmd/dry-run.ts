/** A dry run of Distribution Matching Distillation: of its own size where that fits, else with a smaller network of its kind. */
import type { Engine } from '../../engine/engine.ts';
import { graphCost } from '../../graph/cost.ts';
import { Graph } from '../../graph/graph.ts';
import { parameterInputs } from '../../graph/parameters.ts';
import { conditionInputs, type DiffusionModel } from '../../models/diffusion-model.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import { Trainer } from '../../training/trainer.ts';
import {
  comparedTo,
  costOfAll,
  type DryRun,
  type Limits,
  type MicroCost,
  type Recorded,
  randomTensor,
  randomWeights,
} from '../common/dry-run.ts';
import { holdsTeacherAsHalf } from '../common/latent-teacher.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { decodeGraph, openPreview } from '../common/preview.ts';
import type { DistillTeacher } from '../common/teacher.ts';
import {
  countOf,
  type DmdShape,
  fakeScoreGraph,
  generateGraph,
  generatorGraph,
  needsTeacher,
  trainsFake,
} from './graphs.ts';
import { Probe, probeGraphs } from './probe.ts';
import { DmdProcedure, type MatchingOptions, type MatchingProcedure } from './procedure.ts';
import { distillSettings } from './settings.ts';
import { requirePrecision, shapeOf } from './shape.ts';

/** Throws UserError for what the run itself would refuse. */
export function dmdDryRun(engine: Engine, config: DistillConfig, limits: Limits): Promise<DryRun> {
  return matchingDryRun(engine, config, limits, {
    shapeOf: (shape) => shape,
    graphs: (shape) => [
      [generatorGraph(shape), 1],
      ...(trainsFake(shape) ? [[fakeScoreGraph(shape), config.fake.updatesPerStep] as const] : []),
    ],
    otherParameters: () => ({}),
    create: (shape, options) =>
      DmdProcedure.create(engine, {
        ...{ ...shape, ...options, fakeUpdates: config.fake.updatesPerStep },
        settings(step) {
          const settings = distillSettings(config)(step);
          return { ...settings, generator: { ...settings.generator, emaDecays: options.emas } };
        },
      }),
  });
}

/** What a method with a matching gradient brings to its dry run. */
export interface DryMethod<Shape extends DmdShape> {
  shapeOf(shape: DmdShape): Shape;
  /** Its programs, with how often each runs in an iteration. */
  graphs(shape: Shape): readonly (readonly [graph: Graph, times: number])[];
  /** Numbers in trained networks beside generator and fake score, by name. */
  otherParameters(shape: Shape): Readonly<Record<string, number>>;
  /** Left out with a fake score. Of a method without: numbers that it holds beside the generator's own state. */
  numbersBeside?(shape: Shape): number;
  /** With averages of the generator as the options have them. */
  create(shape: Shape, options: MatchingOptions): Promise<MatchingProcedure>;
}

/** Throws UserError for what the run itself would refuse. */
export async function matchingDryRun<Shape extends DmdShape>(
  engine: Engine,
  config: DistillConfig,
  limits: Limits,
  method: DryMethod<Shape>,
): Promise<DryRun> {
  await requirePrecision(config, engine);
  const teacher = await openTeacher(config);
  const { enabled, pairs } = config.regression;
  const distance = enabled ? await teacher.distance(randomWeights) : null;
  const half = await holdsTeacherAsHalf(teacher, engine);
  const sized = (of: DistillTeacher, batch = config.batch): Sized<Shape> => {
    const regression = { ...config.regression, batch: Math.min(batch, config.regression.batch ?? batch) };
    const asked = batch === config.batch ? config : { ...config, batch, regression };
    const shape = method.shapeOf(shapeOf(asked, of, distance, half));
    return { teacher: of, shape, cost: costOf(shape, method) };
  };
  const whole = sized(teacher);
  const tried = firstFitting(whole, sized, config.batch, limits);
  const { trainer, procedure } = await trainerOf(engine, method, tried);
  return {
    trainer,
    parameters: {
      network: teacher.model.layout.size,
      trained: {
        generator: teacher.generator.layout.size,
        ...(method.numbersBeside ? {} : { fake: teacher.fake.layout.size }),
        ...method.otherParameters(whole.shape),
      },
    },
    imagesPerMicro: countOf(whole.shape),
    ...{ whole: whole.cost, part: tried.cost },
    recorded: await recordedOf(engine, config, procedure, whole, tried),
    pairs:
      enabled && pairs.path === undefined
        ? { count: pairs.count, flopsPerPair: teacher.pairs.calls * callFlops(teacher.model) }
        : null,
  };
}

interface Sized<Shape extends DmdShape = DmdShape> {
  readonly teacher: DistillTeacher;
  readonly shape: Shape;
  readonly cost: MicroCost;
}

/** Fewer samples at a time, down to one of either kind; then smaller networks, until it can be tried. */
function firstFitting<Shape extends DmdShape>(
  whole: Sized<Shape>,
  sized: (teacher: DistillTeacher, batch: number) => Sized<Shape>,
  batch: number,
  limits: Limits,
): Sized<Shape> {
  const fits = ({ cost: { weightBytes, peakBytes, flops } }: Sized) =>
    weightBytes + 2 * peakBytes <= limits.bytes && flops <= limits.flops;
  const networks = [...whole.teacher.smaller()];
  if (fits(whole) || networks.length === 0) return whole;
  for (let fewer = Math.floor(batch / 2); fewer >= 1; fewer = Math.floor(fewer / 2)) {
    const found = sized(whole.teacher, fewer);
    if (fits(found)) return found;
  }
  return networks.map((of) => sized(of, 1)).find(fits) ?? sized(networks.at(-1)!, 1);
}

function costOf<Shape extends DmdShape>(shape: Shape, method: DryMethod<Shape>): MicroCost {
  const { flops, peakBytes } = costOfAll(method.graphs(shape));
  // Old and new states until they are committed: three buffers and the generator's average; and one gradient at a time.
  const { generator, fake } = { generator: shape.generator.layout, fake: shape.fake.layout };
  const beside = method.numbersBeside?.(shape);
  const gradient = beside === undefined ? Math.max(generator.trainedSize, fake.trainedSize) : generator.trainedSize;
  // The teacher on the device, and by name for what is written in the end.
  const teacher =
    needsTeacher(shape) || beside !== undefined ? ((shape.halfTeacher ? 2 : 4) + 4) * shape.teacher.layout.size : 0;
  const others = Object.values(method.otherParameters(shape)).reduce((sum, size) => sum + size, 0);
  const held = 8 * generator.size + (beside ?? 6 * fake.size) + 6 * others + gradient;
  return { flops, peakBytes, weightBytes: 4 * held + teacher };
}

async function trainerOf<Shape extends DmdShape>(
  engine: Engine,
  method: DryMethod<Shape>,
  { shape, teacher }: Sized<Shape>,
) {
  const teacherWeights = randomWeights(shape.teacher.layout);
  const samples = (count: number) => randomTensor([count, ...shape.student.shape]);
  const conditions = teacher.randomConditions(shape.student);
  const start = (part: 'generator' | 'fake') => shape[part].start(teacherWeights, stream(0, 'plan', part));
  const procedure = await method.create(shape, {
    ...{ seed: 0, teacherWeights, conditions, accumulation: 1, emas: [0.999] },
    start: { generator: start('generator'), fake: start('fake') },
    pairs: {
      batch: async (_step, _micro, count) => ({
        ...{ z: samples(count), y: samples(count) },
        conditions: await conditions.feeds(conditions.inTurn(count)),
      }),
    },
  });
  return { procedure, trainer: new Trainer(engine, procedure) };
}

/** A smaller network is tried with one picture and one noise level. */
async function recordedOf(
  engine: Engine,
  { record, seed }: DistillConfig,
  { generator, fake, teacher: frozen }: MatchingProcedure,
  whole: Sized,
  tried: Sized,
): Promise<Recorded[]> {
  const fits = tried === whole;
  const few = (asked: number) => (fits ? asked : 1);
  const conditions = tried.teacher.randomConditions(tried.shape.student);
  const recorded: Recorded[] = [];
  if (record.probeEvery > 0 && whole.shape.matching) {
    const { levels, count } = record.probe;
    const options = { ...record.probe, count: few(count), levels: levels.slice(0, few(levels.length)) };
    const cost = ({ shape }: Sized, images: number, ladder: readonly number[]) => {
      const { generate, scores } = probeGraphs(shape, images);
      return costOfAll([
        [generate, 1],
        [scores, ladder.length],
      ]);
    };
    recorded.push({
      every: record.probeEvery,
      ...comparedTo(cost(tried, options.count, options.levels), cost(whole, count, levels), fits),
      async open() {
        const probe = await Probe.create(engine, tried.shape, conditions, options);
        const parameters = () => ({ generator: generator.parameters, fake: fake?.parameters ?? [], teacher: frozen });
        return { take: () => probe.read(parameters()), dispose: () => probe.dispose() };
      },
    });
  }
  if (record.samplesEvery > 0) {
    const graphs = async ({ teacher, shape }: Sized, count: number) => ({
      generate: generateGraph(shape, count),
      decode: await decodeGraph(teacher, count, randomWeights),
    });
    const own = await graphs(tried, few(record.samples));
    const cost = ({ generate, decode }: typeof own) =>
      costOfAll([[generate, 1] as const, ...(decode ? [[decode, 1] as const] : [])]);
    recorded.push({
      every: record.samplesEvery,
      ...comparedTo(cost(own), cost(await graphs(whole, record.samples)), fits),
      async open() {
        const generate = await engine.compile(own.generate, { name: 'samples' });
        const preview = await openPreview(engine, { ...own, generate }, conditions, seed);
        return { take: () => preview.images(generator.average(), frozen), dispose: () => preview.dispose() };
      },
    });
  }
  return recorded;
}

/** Of one call of the network for one sample. */
function callFlops(model: DiffusionModel): number {
  const graph = new Graph();
  const source = parameterInputs(graph, 'parameters', model.layout);
  const xt = graph.input('x', [1, ...model.shape]);
  model.predict(source, xt, graph.input('t', [1]), conditionInputs(graph, model, 1));
  return graphCost(graph).flops;
}
