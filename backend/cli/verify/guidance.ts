/**
 * Kind `dmd2-edm-guidance`: the distribution matching loss and the fake score's loss on given images, with everything
 * in between. Built from the very parts of the training graphs.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { karrasSigmas } from '../../diffusion/karras.ts';
import { gradients } from '../../graph/gradients.ts';
import { Graph } from '../../graph/graph.ts';
import { div, reshape } from '../../graph/ops/index.ts';
import { gradientNorm } from '../../graph/optimizer.ts';
import { packParameters, parameterInputs } from '../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { type DmdShape, scoresGraph } from '../../methods/dmd/graphs.ts';
import { meanDistance } from '../../methods/dmd/matching.ts';
import { conditionInputs, denoisingLoss, levelInputs } from '../../models/diffusion-model.ts';
import { edmModel } from '../../models/edm-model.ts';
import { trainedPart } from '../../models/trained-part.ts';
import { createNetwork, type Network } from '../../nets/index.ts';
import { type Case, damaged, limitOf } from './case.ts';
import type { Limit, NumberArray } from './compare.ts';
import type { Kind } from './kind.ts';
import { select } from './parameters.ts';
import { readFloats } from './read-arrays.ts';
import { runOnce } from './run-once.ts';

export const guidanceSchema = z.looseObject({
  num_train_timesteps: z.int().min(2),
  sigma_min: z.number().positive(),
  sigma_max: z.number().positive(),
  rho: z.number().positive(),
  sigma_data: z.number().positive(),
});
export type GuidanceConfig = z.infer<typeof guidanceSchema>;

/** The noise levels that timesteps are indices of, ascending. */
export function levelsOf({ num_train_timesteps: count, sigma_min, sigma_max, rho }: GuidanceConfig): Float32Array {
  return karrasSigmas(count, { sigmaMin: sigma_min, sigmaMax: sigma_max, rho });
}

/** The levels of recorded timestep indices, with their shape. Throws UserError('data') for an index out of range. */
function sigmasOf(theCase: Case, name: string, levels: Float32Array): TensorData {
  const { shape, data } = theCase.array(name);
  const sigmas = Float32Array.from(data, (index) => {
    if (levels[index] === undefined) throw damaged(`${theCase.name}: '${name}' holds ${index}, not one of the levels`);
    return levels[index];
  });
  return { shape, data: sigmas };
}

/** A relative bound on every noise level, besides the one on the largest: they span four decades. */
const levelTolerance = 2e-5;

export const guidance: Kind = async ({ case: theCase, engine }) => {
  const config = theCase.part(guidanceSchema, theCase.json.config, 'config');
  const network = createNetwork(theCase.json.config.net);
  const file = join(theCase.folder, 'weights.safetensors');
  const tensors = await readFloats(file);
  const real = select(network.layout, tensors, 'real_unet.', file);
  const fake = select(network.layout, tensors, 'fake_unet.', file);
  const levels = levelsOf(config);
  const dmSigma = sigmasOf(theCase, 'dm_timesteps', levels);

  const x = theCase.input('latents', [-1, ...network.imageShape]);
  const [batch] = x.shape as [number];
  const shape = shapeOf(network, levels, config.sigma_data, batch);
  const flat = (tensor: TensorData): TensorData => ({ shape: [sizeOf(tensor.shape)], data: tensor.data });
  const shared = {
    x,
    fake: { shape: [network.layout.size], data: packParameters(network.layout, fake) },
    ...(network.labelDim > 0 ? { labels: theCase.input('labels', [batch, network.labelDim]) } : {}),
  };
  const matching = await runOnce(engine, matchingGraph(shape), {
    ...shared,
    teacher: { shape: [network.layout.size], data: packParameters(network.layout, real) },
    sigma: flat(dmSigma),
    noise: theCase.input('dm_noise', x.shape),
  });
  const score = await runOnce(engine, fakeGraph(theCase, shape), {
    ...shared,
    sigmaFake: flat(sigmasOf(theCase, 'fake_timesteps', levels)),
    noiseFake: theCase.input('fake_noise', x.shape),
  });

  const arrays = new Map<string, NumberArray>([...matching, ...score]);
  arrays.set('karras_sigmas', { shape: [levels.length], data: levels });
  arrays.set('dm_sigma', dmSigma);
  const scalars = new Map<string, number>();
  for (const name of ['loss_dm', 'dmtrain_gradient_norm', 'loss_fake_mean']) {
    scalars.set(name, arrays.get(name)!.data[0]);
    arrays.delete(name);
  }
  return { arrays, scalars, limits: levelLimits(theCase, ['karras_sigmas', 'dm_sigma']) };
};

function levelLimits(theCase: Case, names: readonly string[]): Map<string, Limit> {
  return new Map(
    names.map((name) => [name, { ...limitOf(theCase.json.arrays[name] ?? {}), elementwise: levelTolerance }]),
  );
}

function shapeOf(network: Network, sigmas: Float32Array, sigmaData: number, batch: number): DmdShape {
  const model = edmModel(network, { sigmas, generatorSigma: sigmas.at(-1)!, sigmaData });
  const part = trainedPart(network.layout, null);
  return {
    ...{ teacher: model, student: model, generator: part, fake: part, batch, regression: null },
    ...{ matching: { weight: 'eq8', realOnly: false }, pairsMatch: false, guidance: 1, halfTeacher: false },
  };
}

/** Outputs named as in the reference data. */
function matchingGraph(shape: DmdShape): Graph {
  const graph = scoresGraph(shape, shape.batch);
  const of = (name: string) => graph.outputs.get(name)!;
  const [grad, muReal] = [of('grad'), of('muReal')];
  graph.output('noisy_latents', of('xt'));
  graph.output('pred_real', muReal);
  graph.output('pred_fake', of('muFake'));
  graph.output('weight_factor', meanDistance(graph.inputs.get('x')!, muReal));
  graph.output('grad_latents', div(grad, sizeOf(grad.shape)));
  graph.output('loss_dm', of('lossMatching'));
  graph.output('dmtrain_gradient_norm', gradientNorm(reshape(grad, [sizeOf(grad.shape)])));
  return graph;
}

function fakeGraph(theCase: Case, { student, batch }: DmdShape): Graph {
  const graph = new Graph();
  const fake = parameterInputs(graph, 'fake', student.layout);
  const x = graph.input('x', [batch, ...student.shape]);
  const { xt, weight, denoised, loss } = denoisingLoss(student, fake, {
    ...{ x, noise: graph.input('noiseFake', x.shape) },
    level: levelInputs(graph, student.levels, batch, 'Fake'),
    conditions: conditionInputs(graph, student, batch),
  });
  graph.output('fake_noisy_latents', xt);
  graph.output('fake_x0_pred', denoised);
  graph.output('fake_weights', weight!);
  graph.output('loss_fake_mean', loss);
  const wanted = student.layout.entries.filter(
    ({ name, role }) => role === 'trained' && theCase.expects(`grad:${name}`),
  );
  if (wanted.length === 0) return graph;
  const found = gradients(
    loss,
    wanted.map(({ name, shape, init }) => fake.get(name, shape, init)),
  );
  wanted.forEach(({ name }, i) => {
    graph.output(`grad:${name}`, found[i]!);
  });
  return graph;
}
