/** One request for pictures of a prompt: from settings to PNG files, with the image so far between two steps. */
import { encodePng } from '../../data/png.ts';
import { samplerNames } from '../../diffusion/vp/index.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Generated, GenerateSettings } from '../../protocol/rpc/images.ts';
import { textPictureText } from '../../sampling/text/text-picture.ts';
import type { TextRequest, TextStep } from '../../sampling/text/text-request.ts';
import { promptNotes } from './prompt-notes.ts';
import type { ReadyTexts } from './ready-texts.ts';
import type { GenerateWork, Report } from './work.ts';

/** A preview costs a decoder call: at most so often. */
const previewEveryMs = 300;

/** Throws UserError: 'usage' for settings that the model cannot follow, 'weights', 'device', 'numeric', 'cancelled'. */
export async function drawText(
  { settings, device, why, metadata }: GenerateWork,
  ready: ReadyTexts,
  report: Report,
  signal: AbortSignal,
): Promise<Generated> {
  const count = settings.seeds.length;
  const began = performance.now();
  let opened = false;
  const { pipeline, sha256 } = await ready.get(settings.model, device, () => {
    opened = true;
    report.progress('loading', 0, count);
  });
  const { model } = pipeline;
  const request: TextRequest = { ...requestOf(settings, model.calling.oneStep !== null), signal };
  await pipeline.warmUp(request);
  const startup = opened ? performance.now() - began : 0;
  report.progress('sampling', 0, count);
  const drawn = await pipeline.draw({ ...request, onStep: stepReporter(report, count) });
  const [, , height, width] = drawn.images.shape as [number, number, number, number];
  const role = model.calling.oneStep ? 'generator' : 'teacher';
  const maker = { model: settings.model, sha256, role, device, request, drawn } as const;
  return {
    images: settings.seeds.map((seed, i) => {
      // Memory of its own, without what a pool has around it: it crosses threads and processes.
      const png = Uint8Array.from(encodePng(imageAt(drawn.images, i), metadata ? textPictureText(maker, seed) : {}));
      return { seed, class: null, png };
    }),
    ...{ width, height, device, why },
    millisecondsPerImage: drawn.secondsPerImage * 1000,
    startupMilliseconds: startup,
    modelSha256: sha256,
    notes: [...promptNotes(drawn.prompt), ...(opened ? model.warnings : [])],
  };
}

/** What a generator fixed when it was distilled is not asked of it: a comparison gives both sides one form. */
function requestOf(settings: GenerateSettings, oneStep: boolean) {
  const { prompt, negative, guidance, sampler, seeds, steps, classes, size, decoder } = settings;
  if (classes !== null) {
    throw new UserError('usage', 'A text-to-image model has no classes to choose from', 'Say it in the prompt.');
  }
  const words = {
    prompt: prompt ?? '',
    seeds,
    ...(size === undefined ? {} : { size }),
    ...(decoder === undefined ? {} : { decoder }),
  };
  if (oneStep) return words;
  return {
    ...words,
    steps,
    ...(negative === undefined ? {} : { negativePrompt: negative }),
    ...(guidance === undefined ? {} : { guidance }),
    ...(sampler === undefined ? {} : { scheduler: samplerOf(sampler) }),
  };
}

function samplerOf(name: string) {
  const known = samplerNames.find((sampler) => sampler === name);
  if (known) return known;
  throw new UserError('usage', `There is no sampler '${name}'`, `Samplers are ${samplerNames.join(', ')}.`);
}

function stepReporter(report: Report, count: number) {
  let last = performance.now();
  return async ({ done, total, preview }: TextStep) => {
    report.progress('sampling', (done / total) * count, count);
    if (done === total || total === 1 || performance.now() - last < previewEveryMs) return;
    report.preview(done, total, Uint8Array.from(encodePng(imageAt(await preview(), 0))));
    last = performance.now();
  };
}

function imageAt({ shape: [, ...shape], data }: TensorData, index: number): TensorData {
  const size = sizeOf(shape);
  return { shape, data: data.subarray(index * size, (index + 1) * size) };
}
