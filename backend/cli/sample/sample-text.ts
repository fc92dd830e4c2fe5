/** The work of `dmd sample` for a text-to-image model: a prompt, one picture per seed. */
import { join, resolve } from 'node:path';
import { encodePng, imageGrid } from '../../data/png.ts';
import { samplerNames } from '../../diffusion/vp/index.ts';
import { openEngine } from '../../engine/devices.ts';
import { writePiecesAtomic } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folders.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { modelPath } from '../../models/model-file.ts';
import { UserError } from '../../protocol/errors.ts';
import { type TextPictureMaker, textPictureText, unetHash } from '../../sampling/text/text-picture.ts';
import { TextPipeline } from '../../sampling/text/text-pipeline.ts';
import type { TextImages, TextRequest } from '../../sampling/text/text-request.ts';
import { seedInName } from '../arguments.ts';
import { interruptible } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { createProgress, progressMode } from '../progress.ts';
import type { SampleOptions } from './options.ts';

export async function sampleText(name: string, options: SampleOptions, output: Output): Promise<void> {
  refuseOthersOptions(options);
  const { engine, device, why } = await openEngine(options);
  try {
    const pipeline = TextPipeline.open(modelPath(name), {
      ...{ engine, device, threads: options.threads },
      batch: Math.min(options.batch, options.seeds.length),
      lowMemory: options.lowMemory ?? false,
      ...(options.variant === undefined ? {} : { variant: options.variant }),
      ...(options.clipSkip === undefined ? {} : { clipSkip: options.clipSkip }),
    });
    for (const warning of pipeline.model.warnings) {
      output.line(warning);
      output.event('warning', { text: warning });
    }
    const role = pipeline.model.calling.oneStep ? 'generator' : 'teacher';
    output.line(`${role} ${modelPath(name)} on ${engine.device}${options.device === 'auto' ? ` (${why})` : ''}`);
    const request = requestOf(options);
    const drawn = await draw(pipeline, request, output);
    tellAboutPrompt(drawn, output);
    const sha256 = await unetHash(pipeline.model);
    const { clipSkip, variant } = pipeline.model;
    const model = name.startsWith('builtin:') ? name : resolve(pipeline.model.folder.path);
    const files = await writePictures(
      { model, sha256, role, device: engine.device, request, drawn, clipSkip, variant },
      options,
    );
    const milliseconds = drawn.secondsPerImage * 1000;
    output.line(`${options.seeds.length} pictures and ${files.grid}, ${milliseconds.toFixed(1)} ms per picture`);
    output.event('samples', {
      ...{ ...files, device, steps: drawn.steps, guidance: drawn.guidance, scheduler: drawn.scheduler },
      ...{ calls: drawn.calls, millisecondsPerImage: milliseconds },
    });
  } finally {
    await engine.dispose();
  }
}

async function draw(pipeline: TextPipeline, request: TextRequest, output: Output): Promise<TextImages> {
  await pipeline.warmUp(request);
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    return await interruptible((signal) =>
      pipeline.draw({
        ...request,
        signal,
        onStep: ({ done, total }) => {
          progress ??= createProgress(progressMode(output.json), 'sampling', total, { unit: 'steps' });
          progress.update(done);
        },
      }),
    );
  } finally {
    progress?.end();
  }
}

function requestOf(options: SampleOptions): TextRequest {
  const { prompt = '', seeds, negative, guidance, steps, scheduler, eta, size, decoder } = options;
  const sampler = samplerNames.find((name) => name === scheduler);
  if (scheduler !== undefined && !sampler) {
    const hint = `Schedulers are ${samplerNames.join(', ')}.`;
    throw new UserError('usage', `There is no scheduler '${scheduler}'.`, hint);
  }
  return {
    ...{ prompt, seeds },
    ...(negative === undefined ? {} : { negativePrompt: negative }),
    ...(guidance === undefined ? {} : { guidance }),
    ...(steps === undefined ? {} : { steps }),
    ...(sampler ? { scheduler: sampler } : {}),
    ...(eta === undefined ? {} : { eta }),
    ...(size ? { size } : {}),
    ...(decoder === undefined ? {} : { decoder }),
  };
}

/** Options of models without a prompt. */
function refuseOthersOptions(options: SampleOptions): void {
  if (options.class) throw new UserError('usage', 'This model takes a prompt, not classes.', 'Leave --class out.');
  if (options.key !== undefined) {
    throw new UserError(
      'usage',
      'This model is a folder, not a file with several sets of weights.',
      'Leave --key out.',
    );
  }
  if (!options.with) return;
  throw new UserError('usage', 'This model has no options of that kind.', 'Leave --with out; see --scheduler.');
}

function tellAboutPrompt({ prompt, negativePrompt }: TextImages, output: Output): void {
  for (const { truncated: cut, unknownWords: unknown } of [prompt, negativePrompt]) {
    if (cut !== '') output.line(`The prompt is too long for the model; it has not seen: ${cut}`);
    if (unknown.length > 0) output.line(`Words that the model does not know: ${unknown.join(', ')}`);
    if (cut !== '' || unknown.length > 0) output.event('prompt', { cut, unknown });
  }
}

async function writePictures(
  maker: TextPictureMaker,
  { seeds, out, columns = Math.ceil(Math.sqrt(seeds.length)) }: SampleOptions,
): Promise<{ pictures: string[]; grid: string }> {
  const { images } = maker.drawn;
  makeFolder(out);
  const pictures: string[] = [];
  for (const [i, seed] of seeds.entries()) {
    const file = join(out, `seed${seedInName(seed)}.png`);
    await writePiecesAtomic(file, [encodePng(imageAt(images, i), textPictureText(maker, seed))]);
    pictures.push(file);
  }
  const grid = join(out, 'grid.png');
  const { 'dmd.seed': _, 'dmd.settings': __, ...shared } = textPictureText(maker, seeds[0]!);
  const text = { ...shared, 'dmd.seeds': seeds.join(',') };
  await writePiecesAtomic(grid, [encodePng(imageGrid(images, columns), text)]);
  return { pictures, grid };
}

function imageAt({ shape: [, ...shape], data }: TensorData, index: number): TensorData {
  const size = sizeOf(shape);
  return { shape, data: data.subarray(index * size, (index + 1) * size) };
}
