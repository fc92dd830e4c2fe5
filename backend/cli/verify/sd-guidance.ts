/**
 * Kind `sd-guidance-formula`: distribution matching and the fake score's loss in a latent space, with predictions that are given
 * instead of a network. The very graphs of latent distillation compute it, on a network whose prediction is its parameter.
 */
import { z } from 'zod';
import { type VpSchedule, vpSchedule } from '../../diffusion/vp/index.ts';
import type { Feed } from '../../engine/engine.ts';
import type { Graph, Tensor } from '../../graph/graph.ts';
import { div, reshape, sliceAxis } from '../../graph/ops/index.ts';
import { collectParameters } from '../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { type DmdShape, fakeScoreGraph, isGuided, scoresGraph, unconditionalName } from '../../methods/dmd/graphs.ts';
import { meanDistance } from '../../methods/dmd/matching.ts';
import { guided, levelFeeds } from '../../models/diffusion-model.ts';
import { type LatentNetwork, latentModel } from '../../models/latent-model.ts';
import { trainedPart } from '../../models/trained-part.ts';
import { type Case, damaged } from './case.ts';
import type { NumberArray } from './compare.ts';
import type { Kind } from './kind.ts';
import { runOnce } from './run-once.ts';

const configSchema = z.looseObject({
  guidance_scales: z.array(z.number()).default([]),
  prediction_type: z.literal('epsilon', { error: 'the formulas are those of predicted noise' }).default('epsilon'),
});

export const sdGuidance: Kind = async ({ case: theCase, engine }) => {
  const config = theCase.part(configSchema, theCase.json.config, 'config');
  const schedule = vpSchedule(config);
  const latents = theCase.input('latents', [-1, -1, -1, -1]);
  const { shape } = latents;
  const given = (name: string) => theCase.input(name, shape);
  const timesteps = timestepsOf(theCase, shape[0]!, schedule);
  const plain = matchingOf(shape, schedule, 1);
  const { levels } = plain.teacher;
  const context = { shape: [shape[0]!, 1, 1], data: new Float32Array(shape[0]!) };
  const shared = { x: latents, context, fake: flat(given('eps_fake')) };

  const arrays = new Map<string, NumberArray>();
  const scalars = new Map<string, number>();
  arrays.set('alphas_cumprod', { shape: [schedule.timesteps], data: schedule.alphasCumprod });
  for (const scale of config.guidance_scales) {
    const options = matchingOf(shape, schedule, scale);
    const conditional = given('eps_cond');
    const teacher = isGuided(options) ? joined(given('eps_uncond'), conditional) : flat(conditional);
    const feeds: Record<string, Feed> = { ...shared, ...levelFeeds(levels, timesteps), noise: given('noise'), teacher };
    if (isGuided(options)) feeds[unconditionalName('context')] = { shape: [1, 1, 1], data: new Float32Array(1) };
    const found = await runOnce(engine, matchingGraph(options), feeds);
    for (const [name, array] of found) arrays.set(unscaled.has(name) ? name : `${name}.scale${scale}`, array);
    const loss = `loss_dm.scale${scale}`;
    scalars.set(loss, arrays.get(loss)!.data[0]!);
    arrays.delete(loss);
  }
  const fake = await runOnce(engine, fakeScoreGraph(plain), {
    ...{ ...shared, ...levelFeeds(levels, timesteps, 'Fake'), noiseFake: given('noise') },
  });
  arrays.set('pred_fake', fake.get('denoisedFake')!);
  scalars.set('loss_fake_mean.eps_fake', fake.get('report')!.data[0]!);
  return { arrays, scalars };
};

/** What a scale of guidance does not change. */
const unscaled = new Set(['noisy_latents']);

/** Whole timesteps of the schedule, [B]. */
function timestepsOf(theCase: Case, batch: number, schedule: VpSchedule): number[] {
  const { shape, data } = theCase.array('timesteps');
  if (sizeOf(shape) !== batch) throw damaged(`${theCase.name}: array 'timesteps' is [${shape}] for ${batch} latents`);
  return Array.from(data, (t) => {
    if (Number.isInteger(t) && t >= 0 && t < schedule.timesteps) return t;
    throw damaged(`${theCase.name}: 'timesteps' holds ${t}, not one of the ${schedule.timesteps} timesteps`);
  });
}

/** The prediction is the network's one parameter, the guided teacher's for both halves of the doubled batch. */
function networkGiving(shape: readonly number[], batch: number): LatentNetwork {
  const predict: LatentNetwork['predict'] = (source, sample) =>
    source.get('prediction', sample.shape, { kind: 'zeros' });
  const [channels, height, width] = shape.slice(1) as [number, number, number];
  const layout = collectParameters((source) => source.get('prediction', [batch, ...shape.slice(1)], { kind: 'zeros' }));
  return { layout, latentShape: [channels, height, width], contextDim: 1, predict };
}

function matchingOf(shape: readonly number[], schedule: VpSchedule, guidance: number): DmdShape {
  const batch = shape[0]!;
  const model = (count: number) =>
    latentModel(networkGiving(shape, count), { prediction: 'epsilon', schedule, tokens: 1 });
  const student = model(batch);
  const part = trainedPart(student.layout, null);
  return {
    ...{ teacher: guidance > 1 ? model(2 * batch) : student, student, generator: part, fake: part, batch, guidance },
    ...{ matching: { weight: 'eq8', realOnly: false }, regression: null, pairsMatch: true, halfTeacher: false },
  };
}

/** Outputs named as in the reference data, without the scale. */
function matchingGraph(shape: DmdShape): Graph {
  const graph = scoresGraph(shape, shape.batch);
  const of = (name: string) => graph.outputs.get(name)!;
  const grad = of('grad');
  graph.output('noisy_latents', of('xt'));
  graph.output('eps_real', realPrediction(shape, graph.inputs.get('teacher')!));
  graph.output('pred_real', of('muReal'));
  graph.output('weight_factor', meanDistance(graph.inputs.get('x')!, of('muReal')));
  graph.output('grad_latents', div(grad, sizeOf(grad.shape)));
  graph.output('loss_dm', of('lossMatching'));
  return graph;
}

/** What the guided teacher predicts, its one parameter: the step in between that the graph does not give out. */
function realPrediction({ student, teacher, batch, guidance }: DmdShape, parameter: Tensor): Tensor {
  const count = sizeOf(parameter.shape) / sizeOf(teacher.shape);
  const all = reshape(parameter, [count, ...student.shape]);
  if (count === batch) return all;
  return guided(sliceAxis(all, 0, 0, batch), sliceAxis(all, 0, batch, 2 * batch), guidance);
}

const flat = ({ shape, data }: TensorData): TensorData => ({ shape: [sizeOf(shape)], data });

/** Both as one flat buffer. */
function joined(first: TensorData, second: TensorData): TensorData {
  return { shape: [first.data.length + second.data.length], data: Float32Array.from([...first.data, ...second.data]) };
}
