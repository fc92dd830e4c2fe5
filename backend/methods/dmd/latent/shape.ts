/** From a config and its teacher to the shape of a latent iteration. */

import type { Engine } from '../../../engine/engine.ts';
import { holdsHalves } from '../../../engine/holds-halves.ts';
import type { LatentModel } from '../../../models/latent-network.ts';
import type { TextTeacher } from '../../../models/text/text-teacher.ts';
import { trainedPart } from '../../../models/trained-part.ts';
import type { DistillConfig } from '../../../protocol/config/index.ts';
import type { Distance } from '../generator-graph.ts';
import type { LatentShape } from './generator-graph.ts';

/** Whether the run keeps its frozen teacher as float16: asked for, and possible on the device. */
export async function holdsTeacherAsHalf({ text }: DistillConfig, engine: Engine): Promise<boolean> {
  return text.teacherPrecision === 'float16' && (await holdsHalves(engine));
}

/**
 * @param distance null leaves the regression out
 * @param halfTeacher whether the device can hold the teacher as float16, where the config asks for that
 */
export function latentShapeOf(
  config: DistillConfig,
  { network, prediction, tokens, sampler }: LatentModel & Pick<TextTeacher, 'tokens' | 'sampler'>,
  distance: Distance | null,
  halfTeacher: boolean,
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
    halfTeacher,
    matching: matching.enabled ? { weight: matching.weight, realOnly: matching.realOnly } : null,
    regression: distance && { batch: regression.batch ?? batch, distance },
  };
}
