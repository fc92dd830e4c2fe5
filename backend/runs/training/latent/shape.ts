/** From a config and its teacher to the shape of a latent iteration. */
import type { Distance } from '../../../dmd/generator-graph.ts';
import type { LatentShape } from '../../../dmd/latent/generator-graph.ts';
import type { LatentModel } from '../../../dmd/latent/network.ts';
import { trainedPart } from '../../../dmd/latent/trained.ts';
import type { DistillConfig } from '../../../protocol/config/index.ts';
import type { TextTeacher } from './teacher.ts';

/** @param distance null leaves the regression out */
export function latentShapeOf(
  config: DistillConfig,
  { network, prediction, tokens, sampler }: LatentModel & Pick<TextTeacher, 'tokens' | 'sampler'>,
  distance: Distance | null,
): LatentShape {
  const { matching, regression, text, batch } = config;
  const { schedule } = sampler;
  const part = (rank: number) => trainedPart(network.layout, rank > 0 ? rank : null);
  return {
    ...{ network, prediction, schedule, tokens, batch },
    generator: part(text.lora.generator),
    fake: part(text.lora.fake),
    generatorTimestep: schedule.timesteps - 1,
    guidance: text.guidance,
    matching: matching.enabled ? { weight: matching.weight, realOnly: matching.realOnly } : null,
    regression: distance && { batch: regression.batch ?? batch, distance },
  };
}
