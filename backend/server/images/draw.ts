/** One request for pictures: from settings to PNG files. */
import { encodePng } from '../../data/png.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Generated, GenerateSettings } from '../../protocol/rpc/images.ts';
import { type PictureMaker, pictureText } from '../../sampling/picture-text.ts';
import type { ReadySource, ReadySources } from './ready-sources.ts';
import type { GenerateWork, OnProgress } from './work.ts';

/** Throws UserError: 'usage' for settings that the model cannot follow, 'weights', 'device', 'cancelled'. */
export async function draw(
  work: GenerateWork,
  ready: ReadySources,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Generated> {
  const { settings, device, why } = work;
  const count = settings.seeds.length;
  const began = performance.now();
  let opened = false;
  const model = await ready.get(settings.model, device, count, () => {
    opened = true;
    onProgress('loading', 0, count);
  });
  const startup = opened ? performance.now() - began : 0;
  const classes = classesFor(settings, model);
  refuseSize(settings, model);
  if (settings.decoder !== undefined) {
    throw new UserError('usage', `${settings.model} has no latents to decode`, 'Leave the decoder open.');
  }
  onProgress('sampling', 0, count);
  const drawn = await model.source.draw({
    ...{ seeds: settings.seeds, classes, steps: settings.steps, sigma: model.generatorSigma },
    ...{ again: model.again, deterministic: model.deterministic, sampler: 'edm', samplerOptions: {}, signal },
    onProgress: (done) => onProgress('sampling', done, count),
  });
  const [, height, width] = model.network.imageShape;
  return {
    images: settings.seeds.map((seed, i) => {
      const shown = drawn.classes[i] ?? null;
      const text = work.metadata ? textOf(work, model, i, shown) : {};
      // Memory of its own, without what a pool has around it: it crosses threads and processes.
      const png = Uint8Array.from(encodePng(imageAt(drawn.images, i), text));
      return { seed, class: shown, png };
    }),
    ...{ width, height, device, why },
    millisecondsPerImage: drawn.secondsPerImage * 1000,
    startupMilliseconds: startup,
    modelSha256: model.sha256,
    notes: [],
  };
}

/** One class per seed, or null. */
function classesFor({ classes, seeds, prompt, model }: GenerateSettings, { network }: ReadySource): number[] | null {
  if (prompt !== null && prompt.trim() !== '') {
    throw new UserError(
      'usage',
      `${model} takes no prompt`,
      'Leave the prompt empty, or choose a text-to-image model.',
    );
  }
  if (classes === null) return null;
  const { labelDim } = network;
  if (labelDim === 0) throw new UserError('usage', `${model} has no classes to choose from`, 'Leave the class open.');
  if (classes.length !== 1 && classes.length !== seeds.length) {
    const message = `${classes.length} classes for ${seeds.length} seeds`;
    throw new UserError('usage', message, 'Give one class for all pictures, or one for each.');
  }
  const unknown = classes.find((id) => id >= labelDim);
  if (unknown !== undefined) {
    throw new UserError('usage', `${model} has no class ${unknown}`, `Its classes are 0 to ${labelDim - 1}.`);
  }
  return seeds.map((_, i) => classes[i % classes.length]!);
}

/** Its network takes images of one size. */
function refuseSize({ size, model }: GenerateSettings, { network }: ReadySource): void {
  const [, ...own] = network.imageShape;
  if (size === undefined || size.join() === own.join()) return;
  const [height, width] = own;
  throw new UserError('usage', `${model} makes images of ${width} x ${height} pixels alone`, 'Leave the size open.');
}

function textOf({ settings, device }: GenerateWork, model: ReadySource, index: number, shown: number | null) {
  const maker: PictureMaker = {
    ...{ model: settings.model, sha256: model.sha256, role: model.role, steps: settings.steps },
    ...{ sampler: { name: 'edm' }, sigma: model.generatorSigma, device },
    ...{ run: model.run, metadata: model.metadata },
  };
  const { seeds, classes } = settings;
  const seed = seeds[index]!;
  const name = shown === null ? '' : model.classes[shown];
  return pictureText(maker, {
    seed,
    class: shown,
    className: name === String(shown) ? '' : name,
    // This picture's own: its neighbours are not needed to make it again.
    settings: { ...settings, seeds: [seed], classes: classes && [classes[index % classes.length]!] },
  });
}

function imageAt({ shape: [, ...shape], data }: TensorData, index: number): TensorData {
  const size = sizeOf(shape);
  return { shape, data: data.subarray(index * size, (index + 1) * size) };
}
