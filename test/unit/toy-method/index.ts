/** A method of distillation in a folder: its generator, which starts from the teacher, learns to paint everything in one grey. */
import path from 'node:path';
import { karrasSigmas } from '../../../backend/diffusion/karras.ts';
import type { Engine } from '../../../backend/engine/engine.ts';
import { gradients } from '../../../backend/graph/gradients.ts';
import { Graph } from '../../../backend/graph/graph.ts';
import { mean, reshape, square, sub } from '../../../backend/graph/ops/index.ts';
import { outputGradient, packParameters, parameterInputs } from '../../../backend/graph/parameters.ts';
import { sizeOf } from '../../../backend/graph/tensor-data.ts';
import { costOfAll } from '../../../backend/methods/common/dry-run.ts';
import type { Method } from '../../../backend/methods/method.ts';
import { classConditions } from '../../../backend/models/conditions.ts';
import { conditionInputs, generate } from '../../../backend/models/diffusion-model.ts';
import { edmModel } from '../../../backend/models/edm-model.ts';
import { loadTeacher, type Teacher } from '../../../backend/models/teacher.ts';
import { writeModel } from '../../../backend/models/write-model.ts';
import type { DistillConfig } from '../../../backend/protocol/config/index.ts';
import { stream } from '../../../backend/random/stream.ts';
import { averagedWeights, createLossTrainer } from '../../../backend/training/loss-procedure.ts';
import { updateSettings } from '../../../backend/training/schedule.ts';
import { type ToyKeys, toySection } from './config.ts';

type Config = Pick<DistillConfig, 'seed' | 'teacher' | 'batch' | 'accumulation' | 'iterations'> & ToyKeys;

const sigmas = karrasSigmas(10, { sigmaMin: 0.002, sigmaMax: 80, rho: 7 });

function lossGraph({ batch, grey }: Config, { network }: Teacher): Graph {
  const graph = new Graph();
  const model = edmModel(network, { sigmas, generatorSigma: 80, sigmaData: 0.5 });
  const parameters = parameterInputs(graph, 'parameters', model.layout);
  const z = graph.input('z', [batch, ...model.shape]);
  const x = generate(model, parameters, z, conditionInputs(graph, model, batch));
  const loss = mean(square(sub(x, graph.constant([], [grey]))));
  graph.output('loss', reshape(loss, [1]));
  outputGradient(model.layout, gradients(loss, parameters.tensors));
  return graph;
}

function trainerOf(engine: Engine, config: Config, { network, weights }: Teacher, graph: Graph) {
  const { seed, batch, accumulation, iterations, optimizer } = config;
  const conditions = classConditions(network.labelDim);
  const shape = [batch, ...network.imageShape];
  return createLossTrainer(engine, {
    ...{ name: 'generator', layout: network.layout, emas: [], graph, batch, accumulation },
    parameters: packParameters(network.layout, weights),
    draws: async (step, micro) => ({
      z: { shape, data: stream(seed, 'toy', step, micro).randn(sizeOf(shape)) },
      ...(await conditions.feeds(conditions.draw(seed, ['toy', step, micro], batch))),
    }),
    settings: (step) => updateSettings(optimizer, [], step, iterations),
  });
}

/** `optimizer` and `grey` are there, since the section says so. */
const own = (config: DistillConfig) => config as unknown as Config;

export const toy: Method = {
  name: 'toy',
  section: toySection,
  listing: () => [{ text: 'x = toy(z)', stage: 'draw' }],
  findings: async () => [],
  async plan(given) {
    const config = own(given);
    const teacher = await loadTeacher(config.teacher);
    return {
      fieldBytes: 0,
      inputs: async () => ({ teacher: { path: teacher.path, sha256: teacher.sha256 } }),
      async start({ engine }) {
        const trainer = await trainerOf(engine, config, teacher, lossGraph(config, teacher));
        return {
          trainer,
          scalars: ({ scalars }) => scalars,
          record: async () => {},
          async writeWeights(folder, half) {
            const file = path.join(folder, 'generator.safetensors');
            await writeModel(file, teacher.network.config, await averagedWeights(trainer), {}, half);
            return [file];
          },
          dispose: () => trainer.dispose(),
        };
      },
    };
  },
  async dryRun(engine, given) {
    const config = own(given);
    const teacher = await loadTeacher(config.teacher);
    const graph = lossGraph(config, teacher);
    const { size } = teacher.network.layout;
    const cost = { ...costOfAll([[graph, 1]]), weightBytes: 4 * 7 * size };
    return {
      trainer: await trainerOf(engine, { ...config, accumulation: 1 }, teacher, graph),
      parameters: { network: size, trained: { generator: size } },
      imagesPerMicro: config.batch,
      ...{ whole: cost, part: cost, recorded: [], pairs: null },
    };
  },
};
