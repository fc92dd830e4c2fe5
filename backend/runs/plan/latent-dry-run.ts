/** A few iterations of a text-to-image teacher's distillation on random weights: its own size, or a smaller one of its kind. */

import type { Engine } from '../../engine/engine.ts';
import { graphCost } from '../../graph/cost.ts';
import { Graph } from '../../graph/graph.ts';
import { flatParameters } from '../../graph/parameters.ts';
import { DistillTrainer } from '../../methods/dmd/distill.ts';
import { openLatentDistance } from '../../methods/dmd/latent/distance.ts';
import { latentFakeScoreGraph } from '../../methods/dmd/latent/fake-score-graph.ts';
import { type LatentShape, latentCount, latentGeneratorGraph } from '../../methods/dmd/latent/generator-graph.ts';
import { latentMethod, needsTeacher } from '../../methods/dmd/latent/method.ts';
import { holdsTeacherAsHalf, latentShapeOf } from '../../methods/dmd/latent/shape.ts';
import { distillSettings } from '../../methods/dmd/settings.ts';
import { openTextTeacher, type TextTeacher } from '../../models/text/text-teacher.ts';
import { createTextUNet } from '../../nets/stable-diffusion/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import type { JsonObject } from '../../weights/diffusers/index.ts';
import { type DryRun, type MicroCost, microCost, randomTensor, randomWeights } from './dry-run.ts';
import { randomContext, recordedOf } from './latent-recorded.ts';

export interface Limits {
  readonly bytes: number;
  readonly flops: number;
}

export async function latentDryRun(engine: Engine, config: DistillConfig, limits: Limits): Promise<DryRun> {
  const teacher = openTextTeacher(config);
  const { enabled, pairs } = config.regression;
  const distance = enabled
    ? await (await openLatentDistance(config, teacher)).create(({ vae }) => randomWeights(vae.layout))
    : null;
  const shape = latentShapeOf(config, teacher, distance, await holdsTeacherAsHalf(config, engine));
  const whole = costOf(shape, config);
  const fits = whole.weightBytes + 2 * whole.peakBytes <= limits.bytes && whole.flops <= limits.flops;
  const tried = fits ? shape : smaller(config, teacher, shape, limits);
  const trainer = await trainerOf(engine, config, tried);
  const guided = (config.text.pairGuidance ?? config.text.guidance) > 1 ? 2 : 1;
  return {
    trainer,
    parameters: {
      network: shape.network.layout.size,
      generator: shape.generator.layout.size,
      fake: shape.fake.layout.size,
    },
    imagesPerMicro: latentCount(shape),
    whole,
    part: fits ? whole : costOf(tried, config),
    recorded: await recordedOf({ engine, config, teacher, trainer }, shape, tried),
    pairs:
      enabled && pairs.path === undefined
        ? { count: pairs.count, flopsPerPair: (pairs.steps + 1) * guided * callFlops(shape) }
        : null,
  };
}

function costOf(shape: LatentShape, { fake }: DistillConfig): MicroCost {
  const count = latentCount(shape);
  const trainsFake = shape.matching !== null && !shape.matching.realOnly;
  return microCost(
    {
      generator: latentGeneratorGraph(shape),
      fake: trainsFake ? latentFakeScoreGraph(shape, count) : null,
      fakeUpdates: fake.updatesPerStep,
    },
    {
      generator: shape.generator.layout,
      fake: shape.fake.layout,
      teacher: needsTeacher(shape) ? shape.network.layout : null,
    },
    shape.halfTeacher ? 2 : 4,
  );
}

/** Channels and side of the latents that remain, as divisors. */
const sizes = [
  [1, 1],
  [2, 1],
  [4, 1],
  [4, 2],
  [8, 2],
  [8, 4],
] as const;

/** Fewer latents at a time, down to one of either kind; then fewer channels and smaller latents, until it can be tried. */
function smaller(config: DistillConfig, teacher: TextTeacher, shape: LatentShape, limits: Limits): LatentShape {
  const [, height, width] = shape.network.latentShape;
  let last = shape;
  for (const [channels, side] of sizes) {
    const size = [height / side, width / side] as const;
    const recompute = config.text.recompute;
    const network = createTextUNet(withChannels(teacher.unetConfig, channels), { recompute, size });
    for (let batch = channels === 1 ? config.batch : 1; batch >= 1; batch = Math.floor(batch / 2)) {
      const regression = { ...config.regression, batch: Math.min(batch, config.regression.batch ?? batch) };
      const fewer = { ...config, batch, regression };
      last = latentShapeOf(fewer, { ...teacher, network }, shape.regression?.distance ?? null, shape.halfTeacher!);
      const { weightBytes, peakBytes, flops } = costOf(last, config);
      if (weightBytes + 2 * peakBytes <= limits.bytes && flops <= limits.flops) return last;
    }
  }
  return last;
}

/** The network with about one in `divisor` of its channels, in whole groups of its normalisations. */
function withChannels(config: JsonObject, divisor: number): JsonObject {
  if (divisor === 1) return config;
  const groups = Number(config.norm_num_groups ?? 32);
  const blocks = config.block_out_channels as readonly number[];
  const fewer = (channels: number) => Math.max(1, Math.round(channels / divisor / groups)) * groups;
  return { ...config, block_out_channels: blocks.map(fewer) };
}

async function trainerOf(engine: Engine, config: DistillConfig, shape: LatentShape): Promise<DistillTrainer> {
  const { network } = shape;
  const teacherWeights = randomWeights(network.layout);
  const context = (count: number) => randomContext(shape, count);
  const latents = (count: number) => randomTensor([count, ...network.latentShape]);
  const method = await latentMethod(engine, {
    ...shape,
    ...{ seed: 0, teacherWeights, accumulation: 1, fakeUpdates: config.fake.updatesPerStep },
    prompts: { count: 1, unconditional: context(1), embeddings: async (prompts) => context(prompts.length) },
    pairs: {
      batch: async (_step, _micro, count) => ({ z: latents(count), y: latents(count), context: context(count) }),
    },
    settings: distillSettings(config),
  });
  const start = (part: 'generator' | 'fake') => shape[part].start(teacherWeights, stream(0, 'plan', part));
  return new DistillTrainer(engine, method, { generator: start('generator'), fake: start('fake') });
}

function callFlops({ network, tokens }: LatentShape): number {
  const graph = new Graph();
  const source = flatParameters(network.layout, graph.input('parameters', [network.layout.size]));
  const sample = graph.input('sample', [1, ...network.latentShape]);
  network.predict(
    source,
    sample,
    graph.input('timestep', [1]),
    graph.input('context', [1, tokens, network.contextDim]),
  );
  return graphCost(graph).flops;
}
