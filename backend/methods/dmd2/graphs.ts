/**
 * The two halves of a DMD2 iteration (arXiv 2405.14867) as graphs: the generator's, with matching gradient and GAN loss, and that of
 * fake score and discriminator, which is a head on the fake score's own bottleneck.
 */
import { gradients, type Seed } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import {
  abs,
  add,
  concat,
  detach,
  div,
  exp,
  greater,
  log,
  maximum,
  mean,
  mul,
  neg,
  reshape,
  sliceAxis,
  square,
  sub,
} from '../../graph/ops/index.ts';
import { type FlatParameters, flatten, outputGradient, parameterInputs } from '../../graph/parameters.ts';
import {
  type Conditions,
  conditionInputs,
  denoise,
  denoisingLoss,
  generate,
  levelInputs,
  noised,
  over,
} from '../../models/diffusion-model.ts';
import type { Stage } from '../../training/staged-program.ts';
import { type DmdShape, fakeScoreGraph, fakeStages, parametersOf, scoresPart } from '../dmd/graphs.ts';
import { type Divergence, divergenceWeights } from './divergence.ts';
import type { Head } from './head.ts';

/** The GAN loss. */
export interface GanShape {
  readonly head: Head;
  /** Whose bottleneck it stands on. */
  readonly features: 'fake' | 'teacher';
  /** Whether the discriminator's loss trains the fake score's encoder too. */
  readonly trainsTrunk: boolean;
  /** R1 by finite differences: gamma, and the noise's standard deviation; null none. */
  readonly r1: { readonly gamma: number; readonly noise: number } | null;
}

/** Without regression; `matching` is never null. */
export interface Dmd2Shape extends DmdShape {
  readonly gan: GanShape | null;
  readonly divergence: Divergence;
}

/** The output with the gradient of the discriminator's head. */
export const headGradient = 'gradientDiscriminator';

export const generatorStages: readonly Stage[] = [
  ['generate', ['x']],
  ['diffuse', ['xt']],
  ['real score', ['muReal']],
  ['fake score', ['muFake']],
  ['gradient', ['grad', 'divergenceWeight']],
  ['GAN score', ['xtGan', 'logitsGan']],
  ['GAN loss', ['report']],
  ['generator backward', ['gradient']],
];

export const discriminatorStages: readonly Stage[] = [
  ['fake-score loss', ['xtFake', 'denoisedFake']],
  ['discriminator', ['xtOfFake', 'xtOfReal', 'logitsOfFake', 'logitsOfReal']],
  ['discriminator loss', ['report']],
  ['fake-score backward', ['gradient', headGradient]],
];

export const generatorReport = ['lossMatching', 'lossGan', 'gradientMean', 'residualReal', 'residualFake'] as const;

/** `right` is the share of images that the discriminator takes for what they are. */
export const discriminatorReport = [
  'lossFake',
  'lossDiscriminator',
  'penaltyR1',
  'logitReal',
  'logitFake',
  'right',
] as const;

export const stagesOfFake = ({ gan }: Pick<Dmd2Shape, 'gan'>) => (gan ? discriminatorStages : fakeStages);

/** log(1 + exp(x)), whatever the size of x. */
export const softplus = (x: Tensor) => add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));

type Parameters = ReturnType<typeof parametersOf>;

/** Logits [B] of noisy samples, as inputs `discriminator` and the network's parameters make them. */
function discriminatorOf(graph: Graph, shape: Dmd2Shape, parameters: Parameters) {
  const { features, head: own } = shape.gan!;
  const head = parameterInputs(graph, 'discriminator', own.layout);
  const [model, source] = ofFeatures(features, shape, parameters);
  const tell = (xt: Tensor, t: Tensor, conditions: Conditions) =>
    graph.scope('discriminator', () => own.logits(head, model.features!(source(), xt, t, conditions)));
  return { head, tell };
}

const ofFeatures = (features: GanShape['features'], { teacher, student }: Dmd2Shape, { real, fake }: Parameters) =>
  features === 'teacher' ? ([teacher, real] as const) : ([student, fake] as const);

/**
 * Inputs: generator, teacher, fake and discriminator; z (a few-step generator: xIn and its level, `In`), conditions, noise [B, ...] and the level's numbers [B]; with a GAN loss the
 * same of its own level, each with `Gan` after its name, and ganWeight []; guided, guidance [] and what is unconditional. Outputs: x,
 * xt, muReal, muFake, grad, xtGan [B, ...]; logitsGan, divergenceWeight [B]; report; gradient.
 */
export function generatorGraph(shape: Dmd2Shape): Graph {
  const { student, batch, gan } = shape;
  const graph = new Graph();
  const parameters = parametersOf(graph, shape);
  const generator = parameters.generator();
  const conditions = conditionInputs(graph, student, batch);
  const x = graph.scope('generate', () => {
    if (!student.calledAgain) {
      return generate(student, generator, graph.input('z', [batch, ...student.shape]), conditions);
    }
    const xIn = graph.input('xIn', [batch, ...student.shape]);
    return denoise(student, generator, xIn, levelInputs(graph, student.levels, batch, 'In'), conditions);
  });
  graph.output('x', x);
  const discriminator = gan && discriminatorOf(graph, shape, parameters);
  const scores = graph.scope('scores', () =>
    scoresPart(graph, shape, detach(x), conditions, parameters, { changes: true }),
  );
  const weights =
    discriminator && divergenceWeights(shape.divergence, discriminator.tell(scores.xt, scores.level.t, conditions));
  if (weights) graph.output('divergenceWeight', weights);
  const { imageGradient } = scores;
  const seeds: Seed[] = [{ of: x, gradient: weights ? mul(imageGradient, over(weights, x)) : imageGradient }];
  let lossGan = graph.constant([], [0]);
  if (discriminator) {
    const level = levelInputs(graph, student.levels, batch, 'Gan');
    const xtGan = noised(x, graph.input('noiseGan', x.shape), level);
    const logits = discriminator.tell(xtGan, level.t, conditions);
    graph.output('xtGan', xtGan);
    graph.output('logitsGan', logits);
    lossGan = mean(softplus(neg(logits)));
    seeds.push({ of: mul(lossGan, graph.input('ganWeight', [])) });
  }
  report(graph, generatorReport, { ...scores.report, lossGan });
  outputGradient(shape.generator.layout, gradients(seeds, generator.tensors));
  return graph;
}

function report<Name extends string>(graph: Graph, names: readonly Name[], numbers: Readonly<Record<Name, Tensor>>) {
  graph.output(
    'report',
    concat(
      names.map((name) => reshape(numbers[name], [1])),
      0,
    ),
  );
}

/**
 * Fake score and discriminator. Inputs: fake, discriminator (teacher, where features are its); x (generated, taken as data) and xReal
 * [B, ...] with their conditions (`Real` after the latter's names); noise and levels of the denoising loss (`Fake`), and of the images
 * that are told apart (`OfFake`, `OfReal`); noiseR1 [B, ...] where there is a penalty; discriminatorWeight []. Outputs: as the stages
 * have them; `gradient` of the fake score and the head's.
 */
export function discriminatorGraph(shape: Dmd2Shape): Graph {
  const { student, gan, batch: count } = shape;
  if (!gan) return fakeScoreGraph(shape);
  const graph = new Graph();
  const parameters = parametersOf(graph, shape);
  const fake = parameters.fake();
  const x = graph.input('x', [count, ...student.shape]);
  const conditions = conditionInputs(graph, student, count);
  const { xt, denoised, loss } = denoisingLoss(student, fake, {
    ...{ x, noise: graph.input('noiseFake', x.shape), level: levelInputs(graph, student.levels, count, 'Fake') },
    conditions,
  });
  graph.output('xtFake', xt);
  graph.output('denoisedFake', denoised);
  const { head, tell } = discriminatorOf(graph, shape, parameters);
  const real = graph.input('xReal', x.shape);
  const [ofFake, ofReal] = (['OfFake', 'OfReal'] as const).map((suffix) => ({
    noise: graph.input(`noise${suffix}`, x.shape),
    level: levelInputs(graph, student.levels, count, suffix),
  }));
  const conditionsReal = conditionInputs(graph, student, count, (name) => `${name}Real`);
  const fooling = { xt: noised(x, ofFake!.noise, ofFake!.level), t: ofFake!.level.t, conditions };
  const genuine = { xt: noised(real, ofReal!.noise, ofReal!.level), t: ofReal!.level.t, conditions: conditionsReal };
  // All in one call of the network.
  const near = gan.r1 && {
    ...genuine,
    xt: noised(add(real, mul(graph.input('noiseR1', x.shape), gan.r1.noise)), ofReal!.noise, ofReal!.level),
  };
  const [logitsOfFake, logitsOfReal, logitsNear] = tellAll(tell, [fooling, genuine, ...(near ? [near] : [])]);
  const outputs = {
    xtOfFake: fooling.xt,
    xtOfReal: genuine.xt,
    logitsOfFake: logitsOfFake!,
    logitsOfReal: logitsOfReal!,
  };
  for (const [name, tensor] of Object.entries(outputs)) graph.output(name, tensor);
  const lossDiscriminator = add(mean(softplus(logitsOfFake!)), mean(softplus(neg(logitsOfReal!))));
  const penaltyR1 = gan.r1
    ? mul(mean(square(div(sub(logitsNear!, logitsOfReal!), gan.r1.noise))), gan.r1.gamma / 2)
    : graph.constant([], [0]);
  report(graph, discriminatorReport, {
    ...{ lossFake: loss, lossDiscriminator, penaltyR1 },
    ...{ logitReal: mean(logitsOfReal!), logitFake: mean(logitsOfFake!) },
    right: mul(add(mean(greater(logitsOfReal!, 0)), mean(greater(neg(logitsOfFake!), 0))), 0.5),
  });
  const weighed = mul(add(lossDiscriminator, penaltyR1), graph.input('discriminatorWeight', []));
  outputBoth(graph, shape, { fake, head }, { loss, weighed });
  return graph;
}

interface Told {
  readonly xt: Tensor;
  readonly t: Tensor;
  readonly conditions: Conditions;
}

/** Logits of several batches of one size, in one call. */
function tellAll(tell: ReturnType<typeof discriminatorOf>['tell'], batches: readonly Told[]): Tensor[] {
  const joined = (of: (told: Told) => Tensor) => concat(batches.map(of), 0);
  const names = Object.keys(batches[0]!.conditions);
  const conditions = Object.fromEntries(names.map((name) => [name, joined((told) => told.conditions[name]!)]));
  const logits = tell(
    joined(({ xt }) => xt),
    joined(({ t }) => t),
    conditions,
  );
  const count = batches[0]!.xt.shape[0]!;
  return batches.map((_, i) => sliceAxis(logits, 0, i * count, (i + 1) * count));
}

/** The head learns from the discriminator's loss alone, the fake score from its own and, as a trunk, from both. */
function outputBoth(
  graph: Graph,
  shape: Dmd2Shape,
  { fake, head }: { readonly fake: FlatParameters; readonly head: FlatParameters },
  { loss, weighed }: { readonly loss: Tensor; readonly weighed: Tensor },
): void {
  const { trainsTrunk, features } = shape.gan!;
  const both = trainsTrunk && features === 'fake';
  const [ofFake, ofHead] = both
    ? divided(gradients([{ of: loss }, { of: weighed }], [...fake.tensors, ...head.tensors]), fake.tensors.length)
    : [gradients(loss, fake.tensors), gradients(weighed, head.tensors)];
  outputGradient(shape.fake.layout, ofFake);
  graph.output(headGradient, flatten(ofHead));
}

const divided = <T>(list: readonly T[], at: number) => [list.slice(0, at), list.slice(at)] as const;
