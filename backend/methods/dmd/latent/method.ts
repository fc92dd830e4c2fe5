/** The latent part of an iteration: texts as conditions, VP timesteps, guidance, paired and unpaired noise in both losses. */
import type { VpSchedule } from '../../../diffusion/vp/index.ts';
import type { DeviceTensor, Engine, Feed } from '../../../engine/engine.ts';
import { packHalfParameters, packParameters } from '../../../graph/parameters.ts';
import { type HalfData, sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import type { DrawPoint } from '../../../training/draws.ts';
import type { DistillMethod, Feeds, Generation } from '../distill-method.ts';
import type { StepSettings } from '../distill-options.ts';
import { compileDistill } from '../distill-programs.ts';
import { type LatentDraws, type LevelDraw, latentStreamDraws } from './draws.ts';
import { latentFakeScoreGraph } from './fake-score-graph.ts';
import {
  isGuided,
  type LatentShape,
  latentCount,
  latentGenerateGraph,
  latentGeneratorGraph,
} from './generator-graph.ts';

/** Text embeddings by the prompt's number. The same number always gives the same bits. */
export interface PromptEmbeddings {
  readonly count: number;
  /** Of the empty prompt, [1, L, D]. */
  readonly unconditional: TensorData;
  /** [n, L, D]. */
  embeddings(prompts: readonly number[]): Promise<TensorData>;
}

/** Noise, the teacher's latents for it, and the embedding of the text they were made for: pure in (step, micro-batch). */
export interface LatentPairs {
  batch(
    step: number,
    micro: number,
    count: number,
  ): Promise<{ readonly z: TensorData; readonly y: TensorData; readonly context: TensorData }>;
}

export interface LatentOptions extends LatentShape {
  readonly seed: number;
  /** With `halfTeacher` numbers of float16, so that generator and fake score start as the teacher exactly. */
  readonly teacherWeights: ReadonlyMap<string, TensorData>;
  readonly prompts: PromptEmbeddings;
  readonly pairs: LatentPairs | null;
  readonly accumulation: number;
  readonly fakeUpdates: number;
  /** Recorded draws in place of the seed's own streams. */
  readonly draws?: LatentDraws;
  settings(step: number): StepSettings;
}

/** Whether an iteration needs the teacher's parameters: for the real score, or below adapters. */
export function needsTeacher({ matching, generator, fake }: Pick<LatentShape, 'matching' | 'generator' | 'fake'>) {
  return matching !== null || generator.adapts || fake.adapts;
}

export interface LatentMethod extends DistillMethod {
  /** The empty prompt's embedding on the device; null without guidance. */
  readonly unconditional: DeviceTensor | null;
}

export async function latentMethod(engine: Engine, options: LatentOptions): Promise<LatentMethod> {
  const { network, matching, regression, schedule, fakeUpdates, accumulation, prompts, pairs } = options;
  if (!matching && !regression) throw new Error('both losses are switched off: nothing to train');
  if (regression && !pairs) throw new Error('regression needs noise-image pairs');
  const count = latentCount(options);
  const draws = options.draws ?? latentStreamDraws(options.seed, network.latentShape, prompts.count);
  const trainsFake = matching !== null && !matching.realOnly;
  const layouts = { generator: options.generator.layout, fake: options.fake.layout };
  const programs = await compileDistill(engine, {
    generator: latentGeneratorGraph(options),
    fake: trainsFake ? latentFakeScoreGraph(options, count) : null,
    generate: trainsFake && fakeUpdates > 1 ? latentGenerateGraph(options, count) : null,
    layouts,
    accumulation,
  });
  const teacher = needsTeacher(options) ? engine.upload(teacherData(options)) : null;
  const unconditional = matching && isGuided(options) ? engine.upload(copy(prompts.unconditional)) : null;
  const below = (adapts: boolean): Feeds => (adapts ? { teacher: teacher! } : {});

  return {
    programs,
    imagesPerStep: count * accumulation,
    accumulation,
    fakeUpdates,
    layouts,
    teacher,
    unconditional,
    recorded: ['timestep', 'alpha', 'sigma', 'z'],
    settings: options.settings,
    async generation(at: DrawPoint, settings: StepSettings): Promise<Generation> {
      const { z, prompts: ids } = draws.latents(at, options.batch);
      const own = await prompts.embeddings(ids);
      const pair = regression && (await pairs!.batch(at.step, at.micro, regression.batch));
      const context = pair ? joined(own, pair.context) : own;
      const feeds: Record<string, Feed> = { z: pair ? joined(z, pair.z) : z, context };
      Object.assign(feeds, below(options.generator.adapts));
      if (matching) {
        const range = { first: settings.firstLevel, last: settings.lastLevel };
        Object.assign(feeds, levelFeeds(schedule, draws.matching(at, count, range)), { teacher: teacher! });
        if (unconditional) feeds.unconditional = unconditional;
      }
      if (pair) {
        feeds.refLatents = pair.y;
        feeds.lambda = { shape: [], data: Float32Array.of(settings.lambda) };
      }
      return { feeds, conditions: { context } };
    },
    async fresh(at): Promise<Generation> {
      const { z, prompts: ids } = draws.latents(at, count);
      const context = await prompts.embeddings(ids);
      return { feeds: { z, context, ...below(options.generator.adapts) }, conditions: { context } };
    },
    fakeFeeds: (at) => ({
      ...levelFeeds(schedule, draws.fake(at, count, { first: 0, last: schedule.timesteps - 1 })),
      ...below(options.fake.adapts),
    }),
    generatorWeights: (flat) => options.generator.merged(options.teacherWeights, flat),
    dispose() {
      teacher?.dispose();
      unconditional?.dispose();
    },
  };
}

function teacherData({ network: { layout }, teacherWeights, halfTeacher }: LatentOptions): TensorData | HalfData {
  const shape = [layout.size];
  if (halfTeacher) return { shape, halves: packHalfParameters(layout, teacherWeights) };
  return { shape, data: packParameters(layout, teacherWeights) };
}

/** A level's numbers as the graphs are fed them: timestep, alpha, sigma [count], noise. */
export function levelFeeds(schedule: VpSchedule, { timesteps, noise }: LevelDraw) {
  const each = (of: (t: number) => number): TensorData => ({
    shape: [timesteps.length],
    data: Float32Array.from(timesteps, of),
  });
  return { timestep: each((t) => t), alpha: each(schedule.alpha), sigma: each(schedule.sigma), noise };
}

/** Two batches as one. */
function joined(a: TensorData, b: TensorData): TensorData {
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  const shape = [a.shape[0] + b.shape[0], ...a.shape.slice(1)];
  if (sizeOf(shape) !== data.length) throw new Error(`[${a.shape}] and [${b.shape}] are not of one size`);
  return { shape, data };
}

const copy = ({ shape, data }: TensorData): TensorData => ({ shape, data: data.slice() });
