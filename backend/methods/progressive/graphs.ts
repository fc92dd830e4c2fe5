/** An iteration of progressive distillation as a graph (arXiv 2202.00512, Algorithm 2), with DDIM's step, which for EDM is Euler's. */
import { gradients } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { add, div, maximum, mean, mul, reshape, square, sub } from '../../graph/ops/index.ts';
import { chunkName, outputGradient } from '../../graph/parameters.ts';
import { conditionInputs, ddimStep, denoise, type Level, noised, over } from '../../models/diffusion-model.ts';
import type { Stage } from '../../training/staged-program.ts';
import { type DmdShape, parametersOf } from '../dmd/graphs.ts';

export interface ProgressiveShape extends DmdShape {
  readonly weight: 'truncated-snr' | 'snr+1';
}

export const progressiveStages: readonly Stage[] = [
  ['diffuse', ['xt']],
  ['first teacher step', ['muReal', 'xMiddle']],
  ['second teacher step', ['xTarget']],
  ['student', ['x']],
  ['loss', ['report']],
  ['backward', ['gradient']],
];

export const progressiveReport = ['lossStudent'] as const;

/** Whether the first teacher is another network than its students. */
export const hasOwnTeacher = ({ teacher, student }: Pick<DmdShape, 'teacher' | 'student'>) =>
  teacher.layout !== student.layout;

/** max(SNR, 1) or SNR + 1, with SNR = 1/sigma^2, [B] of sigma [B] (Section 4). */
function lossWeight(weight: ProgressiveShape['weight'], sigma: Tensor): Tensor {
  const ratio = div(1, square(sigma));
  return weight === 'truncated-snr' ? maximum(ratio, 1) : add(ratio, 1);
}

const levelInput = (graph: Graph, name: string, count: number): Level => {
  const sigma = graph.input(name, [count]);
  return { t: sigma, alpha: null, sigma };
};

/**
 * Inputs: generator, teacher; xReal, noise and conditions [B, ...]; the student's step, sigma, sigmaMiddle and sigmaNext, [B].
 * Outputs: xt; what the teacher makes of it, muReal, and where that leads, xMiddle; xTarget (the image with which one step of the student
 * arrives where the teacher does in two) and the student's x, all [B, ...]; report; gradient.
 * @param first the teacher is the run's own, else an earlier student
 */
export function progressiveGraph(shape: ProgressiveShape, first: boolean): Graph {
  const { student, batch, generator: part } = shape;
  const graph = new Graph();
  const parameters = parametersOf(graph, shape);
  const own = parameters.generator();
  const conditions = conditionInputs(graph, student, batch);
  const real = graph.input('xReal', [batch, ...student.shape]);
  const [at, middle, next] = ['sigma', 'sigmaMiddle', 'sigmaNext'].map((name) => levelInput(graph, name, batch));
  const xt = noised(real, graph.input('noise', real.shape), at!);
  const model = first ? shape.teacher : student;
  const weights = first
    ? parameters.real()
    : part.source(
        part.layout.chunks.map(({ size }, i) => graph.input(chunkName('teacher', i), [size])),
        null,
      );
  const teacher = (given: Tensor, level: Level) => denoise(model, weights, given, level, conditions);
  const muReal = graph.scope('first teacher step', () => teacher(xt, at!));
  const xMiddle = ddimStep(xt, muReal, at!, middle!);
  const second = graph.scope('second teacher step', () => teacher(xMiddle, middle!));
  const arrived = ddimStep(xMiddle, second, middle!, next!);
  // Solved for the image: arrived = xTarget + ratio (xt - xTarget).
  const ratio = over(div(next!.sigma, at!.sigma), xt);
  const xTarget = div(sub(arrived, mul(xt, ratio)), sub(1, ratio));
  const x = graph.scope('student', () => denoise(student, own, xt, at!, conditions));
  const loss = mean(mul(over(lossWeight(shape.weight, at!.sigma), xt), square(sub(x, xTarget))));
  for (const [name, tensor] of Object.entries({ xt, muReal, xMiddle, xTarget, x })) graph.output(name, tensor);
  graph.output('report', reshape(loss, [1]));
  outputGradient(part.layout, gradients(loss, own.tensors));
  return graph;
}

/** One step of the student as it is sampled: inputs generator, xt and conditions [count, ...], sigma and sigmaNext [count]; output x. */
export function sampleStepGraph(shape: DmdShape, count: number): Graph {
  const { student } = shape;
  const graph = new Graph();
  const generator = parametersOf(graph, shape).generator();
  const xt = graph.input('xt', [count, ...student.shape]);
  const [at, next] = [levelInput(graph, 'sigma', count), levelInput(graph, 'sigmaNext', count)];
  const clean = denoise(student, generator, xt, at, conditionInputs(graph, student, count));
  graph.output('x', ddimStep(xt, clean, at, next));
  return graph;
}
