/** Text-to-image models in `dmd eval`: teachers by their scheduler with guidance, generators in one call. */
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { modelPath } from '../models/model-file.ts';
import { isTextModel } from '../models/text/is-text-model.ts';
import { TextPipeline } from '../sampling/text/text-pipeline.ts';
import type { Contestant, ContestantOpener, OpenOptions } from './contestant.ts';

/**
 * Takes diffusers folders, and names of models that were downloaded. Steps, scheduler and guidance are for teachers; a
 * one-step generator has none. Throws UserError as `TextPipeline.open`.
 */
export const openText: ContestantOpener = async (name, options) => {
  const path = modelPath(name);
  if (!isTextModel(path)) return null;
  const pipeline = TextPipeline.open(path, { engine: options.engine });
  const asked = settingsOf(pipeline, options);
  const [height, width] = pipeline.model.imageSize;
  const draw = async (prompt: string | null, seeds: readonly number[], signal?: AbortSignal) => {
    if (prompt === null) throw new Error(`${name} was asked for a picture of nothing`);
    return (await pipeline.draw({ ...asked, prompt, seeds, ...(signal ? { signal } : {}) })).images;
  };
  const contestant: Contestant = {
    ...{ name, calls: callsOf(pipeline, asked), imageShape: [3, height, width], takesPrompts: true, classes: 0 },
    // Every picture has a prompt of its own, so each is drawn alone.
    async draw({ seeds, prompts, signal }) {
      const images: TensorData[] = [];
      for (const [i, seed] of seeds.entries()) images.push(await draw(prompts?.[i] ?? null, [seed], signal));
      return stacked(images);
    },
    drawOne: (seed, prompt) => draw(prompt, [seed]),
    dispose: () => pipeline.dispose(),
  };
  return contestant;
};

type Settings = Pick<OpenOptions, 'scheduler'> & { readonly steps?: number; readonly guidance?: number };

function settingsOf({ model: { calling } }: TextPipeline, { steps, scheduler, guidance }: OpenOptions): Settings {
  if (calling.oneStep) return {};
  return {
    ...(steps === null ? {} : { steps }),
    ...(scheduler === undefined ? {} : { scheduler }),
    ...(guidance === undefined ? {} : { guidance }),
  };
}

function callsOf({ model }: TextPipeline, { steps = model.calling.steps, scheduler }: Settings): number {
  return model.calling.oneStep ? steps : model.sampler(scheduler).timesteps({ steps, eta: 0 }).length;
}

function stacked(images: readonly TensorData[]): TensorData {
  const [{ shape }] = images;
  const data = new Float32Array(images.length * sizeOf(shape));
  images.forEach((image, i) => {
    data.set(image.data, i * sizeOf(shape));
  });
  return { shape: [images.length, ...shape.slice(1)], data };
}
