/**
 * The generator's half of a latent iteration (Algorithm 1 and Section 4.2 of arXiv 2311.18828): latents of unpaired and paired
 * noise together, x = concat(G(z), G(z_ref)), of which all feed distribution matching and the paired ones the regression.
 * The real score is guided, the fake one is not.
 */
import type { VpSchedule } from '../../../diffusion/vp/index.ts';
import { gradients, type Seed } from '../../../graph/gradients.ts';
import { Graph, type Tensor } from '../../../graph/graph.ts';
import { detach, mul, sliceAxis } from '../../../graph/ops/index.ts';
import { flatParameters, flatten, type ParameterSource } from '../../../graph/parameters.ts';
import { type Level, noised } from '../../../models/latent-formulas.ts';
import { denoised, denoisedGuided, type LatentModel } from '../../../models/latent-network.ts';
import type { TrainedPart } from '../../../models/trained-part.ts';
import type { Distance } from '../generator-graph.ts';
import { type MatchingOutputs, matchingOutputs, outputReport } from '../generator-report.ts';
import type { MatchingWeight } from '../matching.ts';

export interface LatentShape extends LatentModel {
  readonly generator: TrainedPart;
  readonly fake: TrainedPart;
  readonly schedule: VpSchedule;
  /** Tokens of a text embedding. */
  readonly tokens: number;
  /** The timestep that the generator is called at: the last one. */
  readonly generatorTimestep: number;
  /** Scale of classifier-free guidance on the real score; up to 1 none. */
  readonly guidance: number;
  /** Latents generated of unpaired noise. */
  readonly batch: number;
  /** The frozen teacher's weights are held as float16, and computed with in float32. Default: float32. */
  readonly halfTeacher?: boolean;
  /** Null leaves distribution matching out (an ablation). */
  readonly matching: { readonly weight: MatchingWeight; readonly realOnly: boolean } | null;
  /** Null leaves the regression out. The distance is one of latents; it may decode them. */
  readonly regression: { readonly batch: number; readonly distance: Distance } | null;
}

/** Latents per call of the generator, paired ones included. */
export function latentCount({ batch, regression }: Pick<LatentShape, 'batch' | 'regression'>): number {
  return batch + (regression?.batch ?? 0);
}

/** Whether a guided prediction takes a second, unconditional one. */
export const isGuided = ({ guidance }: Pick<LatentShape, 'guidance'>): boolean => guidance > 1;

/** The teacher's parameters as an input of the graph, declared when first asked for. */
export function teacherInput(
  graph: Graph,
  { network: { layout }, halfTeacher }: LatentModel & Pick<LatentShape, 'halfTeacher'>,
): () => ParameterSource {
  let source: ParameterSource | undefined;
  const flat = () => (halfTeacher ? graph.halfInput('teacher', [layout.size]) : graph.input('teacher', [layout.size]));
  return () => {
    source ??= flatParameters(layout, flat());
    return source;
  };
}

/** A trained network's parameters as the input `name`. */
export function trainedInput(graph: Graph, name: string, part: TrainedPart, teacher: () => ParameterSource) {
  return part.source(graph.input(name, [part.layout.size]), part.adapts ? teacher() : null);
}

export function levelInputs(graph: Graph, count: number): Level {
  return {
    timestep: graph.input('timestep', [count]),
    alpha: graph.input('alpha', [count]),
    sigma: graph.input('sigma', [count]),
  };
}

/** G(z): the clean latents read off one prediction at the generator's timestep; z [B, C, h, w] standard normal. */
export function generateLatents(
  { generatorTimestep, schedule, ...model }: LatentModel & Pick<LatentShape, 'generatorTimestep' | 'schedule'>,
  source: ParameterSource,
  z: Tensor,
  context: Tensor,
): Tensor {
  const { graph } = z;
  const [count] = z.shape;
  const all = (value: number) => graph.constant([count], new Float32Array(count).fill(value));
  const level = {
    timestep: all(generatorTimestep),
    alpha: all(schedule.alpha(generatorTimestep)),
    sigma: all(schedule.sigma(generatorTimestep)),
  };
  return denoised(model, source, z, level, context);
}

/**
 * N = batch + regression.batch, paired noise last. Inputs: generator, fake, teacher (as far as they are used); z [N, C, h, w];
 * context [N, L, D]; with matching timestep, alpha, sigma [N], noise [N, C, h, w] and, guided, unconditional [1, L, D]; with
 * regression refLatents [R, C, h, w], lambda []. Outputs: x, xt, muReal, muFake, grad [N, C, h, w]; report; gradient.
 */
export function latentGeneratorGraph(shape: LatentShape): Graph {
  const { network, batch, regression, matching } = shape;
  const graph = new Graph();
  const count = latentCount(shape);
  const latent = [count, ...network.latentShape];
  const teacher = teacherInput(graph, shape);
  const generator = trainedInput(graph, 'generator', shape.generator, teacher);
  const z = graph.input('z', latent);
  const context = graph.input('context', [count, shape.tokens, network.contextDim]);
  const seeds: Seed[] = [];
  const x = graph.scope('generate', () => generateLatents(shape, generator, z, context));
  const scores =
    matching && graph.scope('scores', () => latentMatching(graph, { ...shape, matching }, detach(x), context, teacher));
  if (scores) seeds.push({ of: x, gradient: scores.imageGradient });
  let lossRegression: Tensor | null = null;
  if (regression) {
    const target = graph.input('refLatents', [regression.batch, ...network.latentShape]);
    const paired = sliceAxis(x, 0, batch, count);
    lossRegression = graph.scope('regression', () => regression.distance(paired, target));
    seeds.push({ of: mul(lossRegression, graph.input('lambda', [])) });
  }
  graph.output('x', x);
  outputReport(graph, scores, lossRegression);
  if (seeds.length > 0) graph.output('gradient', flatten(gradients(seeds, generator.tensors)));
  return graph;
}

export type LatentMatching = LatentShape & { readonly matching: NonNullable<LatentShape['matching']> };

/**
 * Distribution matching on latents x [N, C, h, w]. Declares the inputs timestep, alpha, sigma, noise, fake and unconditional and
 * the outputs xt, muReal, muFake and grad; returns the gradient of the loss on x and the numbers of the report.
 */
export function latentMatching(
  graph: Graph,
  shape: LatentMatching,
  x: Tensor,
  context: Tensor,
  teacher: () => ParameterSource,
): MatchingOutputs {
  const { matching, guidance } = shape;
  const level = levelInputs(graph, x.shape[0]);
  const xt = noised(x, graph.input('noise', x.shape), level);
  const muReal = graph.scope('real', () => {
    if (!isGuided(shape)) return denoised(shape, teacher(), xt, level, context);
    const unconditional = graph.input('unconditional', [1, ...context.shape.slice(1)]);
    return denoisedGuided(shape, teacher(), xt, level, context, unconditional, guidance);
  });
  const fake = matching.realOnly ? null : trainedInput(graph, 'fake', shape.fake, teacher);
  const muFake = fake && graph.scope('fake', () => denoised(shape, fake, xt, level, context));
  const { alpha, sigma } = level;
  return matchingOutputs(xt, { x, muReal, muFake, alpha, sigma, weight: matching.weight });
}

/** Inputs: generator, z [N, C, h, w], context [N, L, D], and teacher where the generator is made of adapters; output x. */
export function latentGenerateGraph(shape: LatentShape, count: number): Graph {
  const { network, tokens } = shape;
  const graph = new Graph();
  const source = trainedInput(graph, 'generator', shape.generator, teacherInput(graph, shape));
  const z = graph.input('z', [count, ...network.latentShape]);
  const context = graph.input('context', [count, tokens, network.contextDim]);
  graph.output('x', generateLatents(shape, source, z, context));
  return graph;
}
