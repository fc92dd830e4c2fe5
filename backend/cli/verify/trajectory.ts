/**
 * Kind `dmd-trajectory`: whole iterations of a distillation, run by the trainer that `dmd distill` runs, with recorded
 * draws and pairs in place of its own. Compared are every iteration's images, losses and gradient norms, and gradients
 * and weights of both networks after the iterations that case.json asks for.
 */

import { type ParameterLayout, packParameters } from '../../graph/parameters.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import { l2Distance } from '../../methods/common/distance.ts';
import { DmdProcedure } from '../../methods/dmd/procedure.ts';
import { classConditions } from '../../models/conditions.ts';
import { edmModel } from '../../models/edm-model.ts';
import { trainedPart } from '../../models/trained-part.ts';
import { Trainer } from '../../training/trainer.ts';
import { collect } from '../../weights/array-source.ts';
import type { NumberArray } from './compare.ts';
import { levelsOf } from './guidance.ts';
import type { Kind } from './kind.ts';
import { networkOf } from './parameters.ts';
import { configSchema, type IterationScalars } from './trajectory-config.ts';
import { recordedDraws, recordedPairs } from './trajectory-draws.ts';
import { compareTrajectory } from './trajectory-limits.ts';

export const trajectory: Kind = async ({ case: theCase, engine }) => {
  const config = theCase.part(configSchema, theCase.json.config, 'config');
  const { network, parameters } = await networkOf(theCase, theCase.json.config.net);
  const levels = levelsOf(config.guidance);
  const { lr, betas, eps, weight_decay: weightDecay } = config.optimizer;
  const update = {
    ...{ learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay },
    ...{ clip: Number.POSITIVE_INFINITY, emaDecays: [] },
  };
  const { conditioning_sigma: generatorSigma, guidance } = config;
  const model = edmModel(network, { sigmas: levels, generatorSigma, sigmaData: guidance.sigma_data });
  const part = trainedPart(network.layout, null);
  const start = packParameters(network.layout, parameters);
  const procedure = await DmdProcedure.create(engine, {
    ...{ teacher: model, student: model, generator: part, fake: part, batch: config.batch },
    matching: { weight: 'eq8', realOnly: false },
    regression: config.batch_ref > 0 ? { batch: config.batch_ref, distance: l2Distance } : null,
    ...{ pairsMatch: false, guidance: 1, halfTeacher: false, teacherWeights: parameters },
    ...{ start: { generator: start, fake: start }, emas: [], accumulation: 1, fakeUpdates: 1, seed: 0 },
    conditions: classConditions(network.labelDim),
    draws: recordedDraws(theCase, config, network, levels.length),
    pairs: config.batch_ref > 0 ? recordedPairs(theCase, config, network) : null,
    settings: () => ({
      ...{ generator: update, fake: update, lambda: config.lambda },
      ...{ firstLevel: 0, lastLevel: levels.length - 1 },
    }),
  });
  const trainer = new Trainer(engine, procedure);

  const images = new Float32Array(config.iterations * config.batch * sizeOf(network.imageShape));
  const states: RecordedState[] = [await recordState(trainer, network.layout)];
  const iterations: IterationScalars[] = [];
  for (let i = 0; i < config.iterations; i++) {
    const { scalars } = await trainer.advance();
    const { lossMatching, lossRegression, lossFake, normGenerator, normFake } = scalars;
    iterations.push({
      loss_dm: lossMatching,
      loss_reg: lossRegression,
      loss_g: lossMatching + config.lambda * lossRegression,
      loss_fake: lossFake,
      gnorm_g: normGenerator,
      gnorm_f: normFake,
    });
    images.set(await trainer.tensors.x.read(), (i * images.length) / config.iterations);
    states.push(await recordState(trainer, network.layout));
  }
  await trainer.dispose();

  const arrays = new Map<string, NumberArray>();
  arrays.set('x', { shape: [config.iterations, config.batch, ...network.imageShape], data: images });
  for (const { name } of theCase.expected) {
    const array = stateArray(name, states, betas[0]);
    if (array) arrays.set(name, array);
  }
  return { arrays, scalars: new Map(), ...compareTrajectory(theCase, config, arrays, iterations) };
};

/** Parameters of both networks, and the mean gradients of their optimizers, by parameter name. */
interface RecordedState {
  readonly gen: ReadonlyMap<string, NumberArray>;
  readonly fake: ReadonlyMap<string, NumberArray>;
  readonly genMoment: ReadonlyMap<string, NumberArray>;
  readonly fakeMoment: ReadonlyMap<string, NumberArray>;
}

async function recordState(trainer: Trainer, layout: ParameterLayout): Promise<RecordedState> {
  const saved = await trainer.save();
  const named = async (file: string, buffer: string) => {
    const { data } = await collect(saved.get(file)!.get(buffer)!);
    return new Map(
      layout.entries.map(({ name, shape, offset }) => [
        name,
        { shape, data: data.subarray(offset, offset + sizeOf(shape)) },
      ]),
    );
  };
  return {
    gen: await named('generator', 'parameters'),
    fake: await named('fake', 'parameters'),
    genMoment: await named('generator', 'firstMoment'),
    fakeMoment: await named('fake', 'firstMoment'),
  };
}

/**
 * `gen5:NAME`, `fake5:NAME`: weights after iteration 5; `final_gen:NAME`, `final_fake:NAME`: after the last one;
 * `grad5:NAME`, `grad_fake5:NAME`: the gradient of iteration 5. Undefined for other names.
 */
function stateArray(name: string, states: readonly RecordedState[], beta1: number): NumberArray | undefined {
  const [, what, step, parameter] = /^(gen|fake|grad|grad_fake|final_gen|final_fake)(\d*):(.+)$/.exec(name) ?? [];
  const index = what?.startsWith('final_') ? states.length - 1 : Number(step);
  const state = states[index];
  if (!what || !state || (index === 0 && what.startsWith('grad'))) return undefined;
  if (what === 'gen' || what === 'final_gen') return state.gen.get(parameter);
  if (what === 'fake' || what === 'final_fake') return state.fake.get(parameter);
  const moment = what === 'grad' ? 'genMoment' : 'fakeMoment';
  return gradientOf(state[moment].get(parameter), states[index - 1][moment].get(parameter), beta1);
}

/** The optimizer keeps m' = beta1 m + (1 - beta1) g; nothing is clipped here. */
function gradientOf(after: NumberArray | undefined, before: NumberArray | undefined, beta1: number) {
  if (!after || !before) return undefined;
  const data = Float32Array.from(after.data, (m, i) => (m - beta1 * before.data[i]) / (1 - beta1));
  return { shape: after.shape, data };
}
