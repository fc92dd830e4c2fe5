/**
 * An iteration of consistency distillation as a graph (Song et al. 2023, arXiv 2303.01469, Algorithm 2): the generator at a noise level
 * against its target at a lower one, to which the teacher takes the same noisy image.
 */
import { gradients } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { abs, add, detach, mean, mul, reshape, sub } from '../../graph/ops/index.ts';
import { outputGradient, type ParameterSource } from '../../graph/parameters.ts';
import {
  type Conditions,
  cleanSample,
  conditionInputs,
  denoise,
  denoiseGuided,
  type Level,
  levelInputs,
  noised,
  noiseIn,
  over,
} from '../../models/diffusion-model.ts';
import type { Stage } from '../../training/staged-program.ts';
import type { Distance } from '../common/distance.ts';
import { type DmdShape, isGuided, parametersOf, unconditionalName } from '../dmd/graphs.ts';

/** A step of the teacher's path between two levels, by index. */
export interface PathStep {
  readonly from: number;
  readonly to: number;
}

/** Without scores of its own: neither matching nor regression. */
export interface ConsistencyShape extends DmdShape {
  /** Of which each sample draws one. */
  readonly steps: readonly PathStep[];
  /** Heun's second call of the teacher, or Euler's step alone, which is DDIM's. */
  readonly solver: 'heun' | 'euler';
  readonly distance: Distance;
  /** Whether there is a target beside the generator. */
  readonly target: boolean;
}

export const stages: readonly Stage[] = [
  ['diffuse', ['xt']],
  ['teacher step', ['muReal', 'xNext']],
  ['generate', ['x']],
  ['target', ['xTarget']],
  ['consistency loss', ['report']],
  ['generator backward', ['gradient']],
];

export const report = ['lossConsistency'] as const;

/**
 * Inputs: generator, teacher, target (where there is one); xReal and conditions [B, ...], noise [B, ...], the numbers of both levels [B],
 * those of the lower one with `Next`; guided, guidance [B] and what is unconditional [1, ...]. Outputs: xt, the noisy images; muReal, what the teacher makes of them, and xNext, where
 * it takes them; x and xTarget, what generator and target make of either [B, ...]; report; gradient.
 */
export function consistencyGraph(shape: ConsistencyShape): Graph {
  const { student, batch } = shape;
  const graph = new Graph();
  const parameters = parametersOf(graph, shape);
  const generator = parameters.generator();
  const real = graph.input('xReal', [batch, ...student.shape]);
  const conditions = conditionInputs(graph, student, batch);
  const level = levelInputs(graph, student.levels, batch);
  const next = levelInputs(graph, student.levels, batch, 'Next');
  const xt = noised(real, graph.input('noise', real.shape), level);
  const { muReal, xNext } = graph.scope('teacher', () =>
    teacherStep(graph, shape, parameters.real(), { xt, level, next, conditions }),
  );
  const x = graph.scope('generate', () => denoise(student, generator, xt, level, conditions));
  const follower = shape.target ? parameters.target() : generator;
  const xTarget = graph.scope('target', () => detach(denoise(student, follower, xNext, next, conditions)));
  const loss = graph.scope('loss', () => shape.distance(x, xTarget));
  for (const [name, tensor] of Object.entries({ xt, muReal, xNext, x, xTarget })) graph.output(name, tensor);
  graph.output('report', reshape(loss, [1]));
  outputGradient(shape.generator.layout, gradients(loss, generator.tensors));
  return graph;
}

/** A step of the teacher's path by itself, of `count` samples: inputs teacher, xt and conditions, both levels' numbers, guidance; output xNext. */
export function pathGraph(shape: ConsistencyShape, count: number): Graph {
  const { student } = shape;
  const graph = new Graph();
  const inputs = {
    ...{ xt: graph.input('xt', [count, ...student.shape]), conditions: conditionInputs(graph, student, count) },
    level: levelInputs(graph, student.levels, count),
    next: levelInputs(graph, student.levels, count, 'Next'),
  };
  graph.output('xNext', teacherStep(graph, shape, parametersOf(graph, shape).real(), inputs).xNext);
  return graph;
}

/** How far the generator is from given images: inputs generator, xt, end and conditions [count, ...], the level's numbers; output error [], mean |f - end|. */
export function errorGraph(shape: ConsistencyShape, count: number): Graph {
  const { student } = shape;
  const graph = new Graph();
  const xt = graph.input('xt', [count, ...student.shape]);
  const conditions = conditionInputs(graph, student, count);
  const level = levelInputs(graph, student.levels, count);
  const x = denoise(student, parametersOf(graph, shape).generator(), xt, level, conditions);
  graph.output('error', mean(abs(sub(x, graph.input('end', xt.shape)))));
  return graph;
}

interface StepInputs {
  readonly xt: Tensor;
  readonly level: Level;
  readonly next: Level;
  readonly conditions: Conditions;
}

/**
 * Where the teacher's probability-flow ODE leads x_t from a level to the next. Its slope over sigma/alpha is the noise that the teacher
 * sees in x_t: Euler's step keeps that noise (DDIM), Heun's takes the mean of the noise at both ends.
 */
function teacherStep(
  graph: Graph,
  shape: ConsistencyShape,
  source: ParameterSource,
  { xt, level, next, conditions }: StepInputs,
): { readonly muReal: Tensor; readonly xNext: Tensor } {
  const { teacher, solver } = shape;
  const guided = isGuided(shape) && {
    none: conditionInputs(graph, teacher, 1, unconditionalName),
    scale: over(graph.input('guidance', [xt.shape[0]!]), xt),
  };
  const clean = (of: Tensor, at: Level) =>
    guided
      ? denoiseGuided(teacher, source, of, at, conditions, guided.none, guided.scale).guided
      : denoise(teacher, source, of, at, conditions);
  const muReal = clean(xt, level);
  const noise = noiseIn(xt, muReal, level);
  const euler = noised(muReal, noise, next);
  if (solver === 'euler') return { muReal, xNext: euler };
  const ahead = noiseIn(euler, clean(euler, next), next);
  const both = mul(add(noise, ahead), 0.5);
  return { muReal, xNext: noised(cleanSample('epsilon', xt, both, level), both, next) };
}
