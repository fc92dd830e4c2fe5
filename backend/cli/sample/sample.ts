/** The work of `dmd sample`. */
import { basename, join, resolve } from 'node:path';
import { encodePng, imageGrid } from '../../data/png.ts';
import { openEngine } from '../../engine/devices.ts';
import { writePiecesAtomic } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folders.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { generatorCalls, type Model, modelPath, openModel } from '../../models/model-file.ts';
import { isTextModel } from '../../models/text/is-text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import type { GenerateSettings } from '../../protocol/rpc/images.ts';
import { runOf } from '../../runs/folder/lineage.ts';
import { makerText, type PictureMaker, pictureText } from '../../sampling/picture-text.ts';
import { type SeededImages, SeededSource } from '../../sampling/seeded-images.ts';
import { takenSet } from '../../weights/weight-sets.ts';
import { seedInName } from '../arguments.ts';
import { interruptible } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { createProgress, progressMode } from '../progress.ts';
import type { SampleOptions } from './options.ts';

export type { SampleOptions } from './options.ts';

/** Steps of a teacher where none are asked for: what EDM uses for CIFAR-10. */
const teacherSteps = 18;

export async function sampleCommand(name: string, options: SampleOptions, output: Output): Promise<void> {
  if (isTextModel(modelPath(name))) {
    const { sampleText } = await import('./sample-text.ts');
    return sampleText(name, options.defaultSeeds ? { ...options, seeds: [0] } : options, output);
  }
  refuseTextOptions(name, options);
  const model = await openModel(name, { key: options.key });
  refuseUndrawable(model);
  const { seeds } = options;
  const steps = options.steps ?? (model.role === 'generator' ? generatorCalls(model) : teacherSteps);
  const classes = options.class ? seeds.map((_, i) => options.class![i % options.class!.length]) : null;
  const { engine, device, why } = await openEngine(options);
  if (model.key !== '' || model.others.length > 0) {
    const choose = model.others.length > 0 ? '; --key chooses' : '';
    output.line(`weights under ${takenSet(model.key, model.others)} of ${model.path}${choose}`);
  }
  output.line(`${model.role} ${model.path} on ${engine.device}${options.device === 'auto' ? ` (${why})` : ''}`);
  const progress = createProgress(progressMode(output.json), 'sampling', seeds.length, { unit: 'images' });
  let drawn: SeededImages;
  try {
    const batch = Math.min(options.batch, seeds.length);
    const source = await SeededSource.create(engine, model.network, model.weights, batch, true);
    const { generatorSigma: sigma, again, deterministic } = model;
    const request = { seeds, classes, steps, sigma, again, deterministic, sampler: options.sampler };
    const onProgress = (done: number) => progress.update(done);
    drawn = await interruptible((signal) =>
      source.draw({ ...request, samplerOptions: options.with ?? {}, onProgress, signal }),
    );
  } finally {
    progress.end();
    await engine.dispose();
  }
  const run = runOf(resolve(model.path));
  const files = await writePictures(drawn, options, {
    ...{ model: name.startsWith('builtin:') ? name : resolve(model.path), sha256: model.sha256 },
    ...{ role: model.role, steps, sigma: model.generatorSigma },
    ...{ sampler: { name: options.sampler, ...options.with }, device: engine.device },
    ...{ run: run && basename(run), metadata: model.metadata },
  });
  const milliseconds = drawn.secondsPerImage * 1000;
  output.line(`${seeds.length} pictures and ${files.grid}, ${milliseconds.toFixed(1)} ms per picture`);
  output.event('samples', { ...files, device, steps, classes: drawn.classes, millisecondsPerImage: milliseconds });
}

async function writePictures(
  { images, classes }: SeededImages,
  options: SampleOptions,
  maker: PictureMaker,
): Promise<{ pictures: string[]; grid: string }> {
  const { seeds, out, columns = Math.ceil(Math.sqrt(seeds.length)) } = options;
  makeFolder(out);
  const pictures: string[] = [];
  for (const [i, seed] of seeds.entries()) {
    const file = join(out, `seed${seedInName(seed)}.png`);
    const shown = classes[i] ?? null;
    const text = pictureText(maker, { seed, class: shown, className: '', settings: settingsOf(options, maker, i) });
    await writePiecesAtomic(file, [encodePng(imageAt(images, i), text)]);
    pictures.push(file);
  }
  const grid = join(out, 'grid.png');
  const all = { 'dmd.seeds': seeds.join(','), ...(classes.length > 0 ? { 'dmd.classes': classes.join(',') } : {}) };
  await writePiecesAtomic(grid, [encodePng(imageGrid(images, columns), { ...makerText(maker), ...all })]);
  return { pictures, grid };
}

/** With which the editor makes the same picture; null where it has no such options. */
function settingsOf(options: SampleOptions, { model, steps }: PictureMaker, index: number): GenerateSettings | null {
  const { seeds, class: classes, sampler } = options;
  if (sampler !== 'edm' || Object.keys(options.with ?? {}).length > 0) return null;
  const chosen = classes ? [classes[index % classes.length]!] : null;
  return { model, seeds: [seeds[index]!], classes: chosen, prompt: null, steps, device: 'auto' };
}

function imageAt({ shape: [, ...shape], data }: TensorData, index: number): TensorData {
  const size = sizeOf(shape);
  return { shape, data: data.subarray(index * size, (index + 1) * size) };
}

const textOptions = [
  'prompt',
  'negative',
  'guidance',
  'scheduler',
  'eta',
  'clipSkip',
  'variant',
  'size',
  'decoder',
] as const;

function refuseTextOptions(name: string, options: SampleOptions): void {
  const given = textOptions.find((option) => options[option] !== undefined);
  if (given === undefined) return;
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const message = `--${flag} is for text-to-image models, which ${name} is not`;
  throw new UserError('usage', message, 'Name the folder of one, with its model_index.json.');
}

function refuseUndrawable({ network: { imageShape }, path }: Model): void {
  if (imageShape[0] === 1 || imageShape[0] === 3) return;
  const message = `${path} makes images of ${imageShape[0]} channels, which are no pictures`;
  throw new UserError('weights', message, 'dmd export writes it as ONNX, which any program can run.');
}
