/**
 * The two halves of an iteration (Algorithm 1 of arXiv 2311.18828) as graphs: the generator's, with scores, gradient, regression
 * and backward, and the fake score's. Everything a person may want to look at before an update is an output.
 */
import type { Engine, Program } from '../../engine/engine.ts';
import { gradients, type Seed, scaledSeeds } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { concat, detach, div, mean, mul, reshape, sliceAxis, square } from '../../graph/ops/index.ts';
import { type FlatParameters, outputGradient, type ParameterSource, parameterInputs } from '../../graph/parameters.ts';
import { type NumberType, sizeOf } from '../../graph/tensor-data.ts';
import {
  type Conditions,
  conditionInputs,
  type DiffusionModel,
  denoise,
  denoiseGuided,
  denoisingLoss,
  generate,
  levelInputs,
  noised,
} from '../../models/diffusion-model.ts';
import type { TrainedPart } from '../../models/trained-part.ts';
import { lossScaleInput } from '../../training/loss-scale.ts';
import type { Stage } from '../../training/staged-program.ts';
import type { Distance } from '../common/distance.ts';
import { type MatchingWeight, matchingGradient, meanDistance } from './matching.ts';

export interface DmdShape {
  /** The frozen model behind mu_real. */
  readonly teacher: DiffusionModel;
  /** What generator and fake score are: usually the teacher's own network. */
  readonly student: DiffusionModel;
  /** What is trained of either. */
  readonly generator: TrainedPart;
  readonly fake: TrainedPart;
  /** Samples generated of unpaired noise per micro-batch. */
  readonly batch: number;
  /** Null leaves distribution matching out (an ablation): x is generated but exerts no gradient. */
  readonly matching: { readonly weight: MatchingWeight; readonly realOnly: boolean } | null;
  /** Null leaves the regression out. */
  readonly regression: { readonly batch: number; readonly distance: Distance } | null;
  /** Whether paired samples feed distribution matching and the fake score too (Section 4.2), or the regression alone. */
  readonly pairsMatch: boolean;
  /** Scale of classifier-free guidance on the real score; up to 1 none. The fake score is never guided. */
  readonly guidance: number;
  /** The frozen teacher is held as float16, and computed with in float32. */
  readonly halfTeacher: boolean;
  /** What networks compute in while they train; float32 unless given. What is looked at is computed in float32. */
  readonly computes?: NumberType;
  /** How samples are drawn to be looked at, where `generateGraph` is not how; a program with its inputs and output. */
  readonly sampler?: (engine: Engine, count: number, name: string) => Promise<Program>;
}

/** What draws samples to be looked at, `count` at a time. */
export function compileSampler(engine: Engine, shape: DmdShape, count: number, name: string): Promise<Program> {
  return shape.sampler?.(engine, count, name) ?? engine.compile(generateGraph(shape, count), { name });
}

/** Samples per call of the generator, paired ones last and included. */
export const countOf = ({ batch, regression }: Pick<DmdShape, 'batch' | 'regression'>) =>
  batch + (regression?.batch ?? 0);

/** How many of them, from the first, are matched and train the fake score. */
export const matchedOf = (shape: Pick<DmdShape, 'batch' | 'regression' | 'pairsMatch'>) =>
  shape.pairsMatch ? countOf(shape) : shape.batch;

export const isGuided = ({ guidance }: Pick<DmdShape, 'guidance'>) => guidance > 1;

export const trainsFake = ({ matching }: Pick<DmdShape, 'matching'>) => matching !== null && !matching.realOnly;

/** Whether an iteration needs the teacher's parameters: for the real score, or below adapters. */
export const needsTeacher = ({ matching, generator, fake }: Pick<DmdShape, 'matching' | 'generator' | 'fake'>) =>
  matching !== null || generator.adapts || fake.adapts;

/** The stages of the generator's half, each with the outputs that exist from it on. */
export const generatorStages: readonly Stage[] = [
  ['generate', ['x', 'xRef']],
  ['diffuse', ['xt']],
  ['real score', ['muReal']],
  ['fake score', ['muFake']],
  ['gradient', ['grad']],
  ['regression', ['report']],
  ['generator backward', ['gradient']],
];

export const fakeStages: readonly Stage[] = [
  ['fake-score loss', ['xtFake', 'denoisedFake', 'report']],
  ['fake-score backward', ['gradient']],
];

/** What the generator's `report` holds, in order. Entries of a loss that is switched off are 0. */
export const generatorReport = [
  'lossMatching',
  'lossRegression',
  'gradientMean',
  'residualReal',
  'residualFake',
] as const;

export const fakeReport = ['lossFake'] as const;

/** The networks' parameters as inputs, each declared when first asked for; a target is another state of the generator. */
export function parametersOf(graph: Graph, { teacher, generator, fake, halfTeacher }: DmdShape) {
  const once = <T>(make: () => T) => {
    let made: T | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  const real = once(() => parameterInputs(graph, 'teacher', teacher.layout, halfTeacher ? 'float16' : 'float32'));
  const trained = (name: string, part: TrainedPart) =>
    once((): FlatParameters => {
      const flats = part.layout.chunks.map(({ size }, i) => graph.input(i === 0 ? name : `${name}.${i}`, [size]));
      return part.source(flats, part.adapts ? real() : null);
    });
  return {
    real,
    ...{ generator: trained('generator', generator), fake: trained('fake', fake) },
    target: trained('target', generator),
  };
}

/**
 * N samples, paired noise last, of which the first M are matched. Inputs: generator, teacher, fake (as far as they are used); z and
 * conditions [N, ...]; the level's numbers [M], noise [M, ...] and, guided, guidance [] and `unconditional` and a condition's name
 * [1, ...]; with regression yRef [R, ...], lambda []. Outputs: x, xt, muReal, muFake, grad [M, ...], xRef [R, ...]; report; gradient.
 */
export function generatorGraph(shape: DmdShape): Graph {
  const { student, batch, matching, regression } = shape;
  const graph = new Graph();
  const [count, matched] = [countOf(shape), matchedOf(shape)];
  const parameters = parametersOf(graph, shape);
  const generator = parameters.generator();
  const z = graph.input('z', [count, ...student.shape]);
  const conditions = conditionInputs(graph, student, count);
  const all = graph.scope('generate', () => generate(student, generator, z, conditions));
  const x = first(all, matched);
  graph.output('x', x);
  const seeds: Seed[] = [];
  const own = Object.fromEntries(Object.entries(conditions).map(([name, of]) => [name, first(of, matched)]));
  const scores =
    matching && graph.scope('scores', () => scoresPart(graph, shape, detach(x), own, parameters, { changes: true }));
  if (scores) seeds.push({ of: x, gradient: scores.imageGradient });
  let lossRegression: Tensor | null = null;
  if (regression) {
    const xRef = sliceAxis(all, 0, batch, count);
    const yRef = graph.input('yRef', xRef.shape);
    graph.output('xRef', xRef);
    lossRegression = graph.scope('regression', () => regression.distance(xRef, yRef));
    seeds.push({ of: mul(lossRegression, graph.input('lambda', [])) });
  }
  const report: Partial<Record<string, Tensor>> = { ...scores?.report, ...(lossRegression ? { lossRegression } : {}) };
  const zero = graph.constant([], [0]);
  const numbers = generatorReport.map((name) => reshape(report[name] ?? zero, [1]));
  graph.output('report', concat(numbers, 0));
  if (seeds.length > 0)
    outputGradient(shape.generator.layout, gradients(asComputed(graph, shape, seeds), generator.tensors));
  return graph;
}

/** Computes the graph in what the shape says; where that is float16, the loss is multiplied by the input lossScale []. */
function asComputed(graph: Graph, { computes = 'float32' }: DmdShape, seeds: readonly Seed[]): readonly Seed[] {
  graph.computes = computes;
  return computes === 'float32' ? seeds : scaledSeeds(seeds, graph.input(lossScaleInput, []));
}

const first = (tensor: Tensor, count: number) => (tensor.shape[0] === count ? tensor : sliceAxis(tensor, 0, 0, count));

/**
 * Both scores on samples x [M, ...] and the gradient of distribution matching (Eq. 7 and 8). Declares the inputs of the level and
 * the outputs xt, muReal, muFake and grad; where it `changes`, guidance is an input as well. @returns d loss / d x, the noisy samples
 * with their level, and the numbers of the report
 */
export function scoresPart(
  graph: Graph,
  shape: DmdShape,
  x: Tensor,
  conditions: Conditions,
  parameters: { readonly real: () => ParameterSource; readonly fake: () => ParameterSource },
  { unguided = false, changes = false } = {},
) {
  const { teacher, student, guidance } = shape;
  const { weight, realOnly } = shape.matching!;
  const level = levelInputs(graph, teacher.levels, x.shape[0]!);
  const xt = noised(x, graph.input('noise', x.shape), level);
  // The teacher is an input like the fake score: as constants they would be run by other kernels, and where both networks are
  // equal (at the start) their difference would be rounding noise, which Adam turns into full steps, instead of 0.
  const muReal = graph.scope('real', () => {
    if (!isGuided(shape)) return denoise(teacher, parameters.real(), xt, level, conditions);
    const none = conditionInputs(graph, teacher, 1, unconditionalName);
    const scale = changes ? graph.input('guidance', []) : guidance;
    const both = denoiseGuided(teacher, parameters.real(), xt, level, conditions, none, scale);
    if (unguided) graph.output('muConditional', both.conditional());
    return both.guided;
  });
  const muFake = realOnly ? x : graph.scope('fake', () => denoise(student, parameters.fake(), xt, level, conditions));
  const { alpha, sigma } = level;
  const grad = matchingGradient({ x, muReal, muFake, alpha, sigma, weight });
  const outputs = { xt, muReal, ...(realOnly ? {} : { muFake }), grad };
  for (const [name, tensor] of Object.entries(outputs)) graph.output(name, tensor);
  return {
    ...{ xt, level },
    imageGradient: div(grad, sizeOf(x.shape)),
    report: {
      // 0.5 mean((x - stopgrad(x - grad))^2)
      lossMatching: mul(mean(square(grad)), 0.5),
      gradientMean: mean(grad),
      residualReal: mean(meanDistance(x, muReal)),
      residualFake: mean(meanDistance(x, muFake)),
    },
  };
}

/** The input of a condition's unconditional value. */
export const unconditionalName = (condition: string) => `unconditional.${condition}`;

/**
 * Both scores of given samples: inputs x and conditions [count, ...], and as `scoresPart` has it; its outputs.
 * @param options unguided: also muConditional [count, ...], the real score's image before guidance, where there is any
 */
export function scoresGraph(shape: DmdShape, count: number, options: { readonly unguided?: boolean } = {}): Graph {
  const graph = new Graph();
  const x = graph.input('x', [count, ...shape.student.shape]);
  const { report } = scoresPart(
    graph,
    shape,
    x,
    conditionInputs(graph, shape.student, count),
    parametersOf(graph, shape),
    options,
  );
  for (const [name, tensor] of Object.entries(report)) graph.output(name, tensor);
  return graph;
}

/**
 * The fake score's half. Inputs: fake, x (generated, taken as data) and conditions [count, ...], the level's numbers and noise,
 * each with `Fake` after its name. Outputs: report [1], the loss; gradient; xtFake, denoisedFake [count, ...].
 */
export function fakeScoreGraph(shape: DmdShape, count = matchedOf(shape)): Graph {
  const { student } = shape;
  const graph = new Graph();
  const fake = parametersOf(graph, shape).fake();
  const x = graph.input('x', [count, ...student.shape]);
  const { xt, denoised, loss } = denoisingLoss(student, fake, {
    ...{ x, noise: graph.input('noiseFake', x.shape) },
    level: levelInputs(graph, student.levels, count, 'Fake'),
    conditions: conditionInputs(graph, student, count),
  });
  graph.output('xtFake', xt);
  graph.output('denoisedFake', denoised);
  graph.output('report', reshape(loss, [1]));
  outputGradient(shape.fake.layout, gradients(asComputed(graph, shape, [{ of: loss }]), fake.tensors));
  return graph;
}

/** Inputs: generator, z and conditions [count, ...], teacher below adapters; output x. */
export function generateGraph(shape: DmdShape, count: number): Graph {
  const graph = new Graph();
  const { generator } = parametersOf(graph, shape);
  const z = graph.input('z', [count, ...shape.student.shape]);
  graph.output('x', generate(shape.student, generator(), z, conditionInputs(graph, shape.student, count)));
  return graph;
}
