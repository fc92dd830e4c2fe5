/** An exported folder, run on its own, beside the model it was made from. */
import type { SamplerName } from '../../diffusion/vp/index.ts';
import { openDevice } from '../../engine/open.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import { threadsOf } from '../../models/text/threads.ts';
import { UserError } from '../../protocol/errors.ts';
import { TextPipeline } from '../../sampling/text/text-pipeline.ts';

export interface Difference {
  /** The largest difference, and the largest pixel. NaN when either side holds one. */
  readonly largestError: number;
  readonly largest: number;
}

/** Steps of a teacher: enough for the sampler to use what came before. */
const teacherSteps = 2;

export interface Trial {
  readonly size: readonly [number, number];
  readonly batch: number;
  readonly signal?: AbortSignal;
}

/**
 * Pictures of one prompt, one for each image of a batch; a teacher's with guidance, so that all of its rows count.
 * @throws UserError: 'weights', 'device', 'numeric', 'cancelled'
 */
export async function trialPictures(model: TextModel, { batch, ...request }: Trial): Promise<TensorData> {
  const threads = threadsOf(model);
  const engine = await openDevice('cpu', threads);
  // Weights as inputs are ready sooner: there are a few calls only.
  const pipeline = new TextPipeline(model, { engine, device: 'cpu', threads, batch, lowMemory: true });
  const seeds = Array.from({ length: batch }, (_, seed) => seed);
  const steps = model.calling.oneStep ? model.calling.steps : teacherSteps;
  const scheduler = model.calling.oneStep ? {} : samplerForTrial(model);
  try {
    const prompt = 'a red circle above a blue square';
    const { images } = await pipeline.draw({ ...request, ...scheduler, prompt, seeds, steps, onStep: listen });
    return images;
  } finally {
    await pipeline.dispose();
    await engine.dispose();
  }
}

/**
 * What an export holds does not depend on the sampler: where this version lacks the model's own, or an option of it, another one.
 * Throws UserError('config') where there is none.
 */
function samplerForTrial(model: TextModel): { readonly scheduler?: SamplerName } {
  for (const scheduler of [undefined, 'euler', 'ddim'] as const) {
    try {
      model.sampler(scheduler);
      return scheduler === undefined ? {} : { scheduler };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return { scheduler: model.sampler().name };
}

export function differenceOf(actual: TensorData, expected: TensorData): Difference {
  let [largestError, largest] = [actual.shape.join() === expected.shape.join() ? 0 : Number.NaN, 0];
  expected.data.forEach((value, i) => {
    largestError = Math.max(largestError, Math.abs(actual.data[i]! - value));
    largest = Math.max(largest, Math.abs(value));
  });
  return { largestError, largest };
}

/** Lets a request to end be heard: the runtime blocks the thread while it computes. */
function listen(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
