/** EDM's part of an iteration: classes as conditions, noise levels sigma with alpha = 1, unpaired images in both losses. */
import type { Engine, Feed } from '../../engine/engine.ts';
import { type ParameterLayout, packParameters, unpackParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type DrawPoint, type Latents, streamDraws } from '../../training/draws.ts';
import type { DistillMethod, Feeds, Generation } from './distill-method.ts';
import type { DistillOptions, StepSettings } from './distill-options.ts';
import { createDistillPrograms } from './distill-programs.ts';

export async function edmMethod(engine: Engine, options: DistillOptions): Promise<DistillMethod> {
  const { network, levels, matching, batch, accumulation, fakeUpdates } = options;
  if (!matching && !options.regression) throw new Error('both losses are switched off: nothing to train');
  const { layout } = network;
  const draws = options.draws ?? streamDraws(options.seed, batch, network, options.labels);
  const programs = await createDistillPrograms(engine, options);
  const teacher = matching && uploadParameters(engine, options.teacher.layout, options.teacherParameters);
  const conditions = ({ labels }: Latents): Feeds => (labels ? { labels } : {});
  return {
    programs,
    imagesPerStep: batch * accumulation,
    accumulation,
    fakeUpdates,
    layouts: { generator: layout, fake: layout },
    teacher,
    recorded: ['sigma', 'z', 'labels'],
    settings: options.settings,
    async generation(at: DrawPoint, settings: StepSettings): Promise<Generation> {
      const latents = draws.latents(at);
      const feeds: Record<string, Feed> = { ...latents };
      if (matching) {
        const range = { levels, first: settings.firstLevel, last: settings.lastLevel };
        Object.assign(feeds, draws.matching(at, range));
        feeds.teacher = teacher!;
      }
      Object.assign(feeds, await referenceFeeds(options, at, settings));
      return { feeds, conditions: conditions(latents) };
    },
    async fresh(at) {
      const latents = draws.latents(at);
      return { feeds: { ...latents }, conditions: conditions(latents) };
    },
    fakeFeeds: (at) => ({ ...draws.fake(at, { levels, first: 0, last: levels.length - 1 }) }),
    generatorWeights: (flat) => unpackParameters(layout, flat),
    dispose: () => teacher?.dispose(),
  };
}

async function referenceFeeds(
  { network, regression, pairs }: DistillOptions,
  { step, micro }: DrawPoint,
  { lambda }: StepSettings,
): Promise<Record<string, Feed>> {
  if (!regression) return {};
  if (!pairs) throw new Error('regression needs noise-image pairs');
  const reference = await pairs.batch(step, micro, regression.batch);
  return {
    refZ: reference.z,
    refImages: reference.y,
    ...(network.labelDim > 0 ? { refLabels: reference.labels! } : {}),
    lambda: { shape: [], data: Float32Array.of(lambda) },
  };
}

export function uploadParameters(engine: Engine, layout: ParameterLayout, values: ReadonlyMap<string, TensorData>) {
  return engine.upload({ shape: [layout.size], data: packParameters(layout, values) });
}
