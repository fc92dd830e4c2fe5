/** Looks into files of weights. Nothing of a file is kept between two questions. */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { countWeights, describeWeights, readWeights } from '../../protocol/rpc/index.ts';
import { mostShown, statisticNames } from '../../protocol/values/value.ts';
import type { Server } from '../handler.ts';

export function registerWeights(server: Server): void {
  server.handle(describeWeights, async ({ path }) => {
    checkPath(path);
    const { readSafetensorsHeader } = await import('../../weights/safetensors.ts');
    const { entries, metadata } = await readSafetensorsHeader(path);
    const { size } = await stat(path);
    return {
      bytes: size,
      metadata,
      tensors: entries.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] })),
    };
  });

  server.handle(readWeights, async ({ path, name, shape: asked, count, cut }, { signal }) => {
    const { stored, dtype, own, numbers } = await open(path, name);
    const shape = asked ?? atMostFive(own);
    if (product(shape) !== product(own)) {
      throw new UserError(
        'usage',
        `${name} has ${product(own)} numbers, the shape ${shape.join(' x ')} has ${product(shape)}`,
        'Give a shape with as many numbers.',
      );
    }
    if (cut && !numbers.fitsShape(shape, cut)) throw new Error(`a cut that does not fit ${shape.join(' x ')}`);
    const seen = cut?.order.reduce((all, axis) => all * Math.ceil(shape[axis]! / cut.step[axis]!), 1) ?? 0;
    if (seen > mostShown) throw new Error(`a cut of ${seen} numbers`);
    return {
      ...{ shape: [...shape], dtype, device: '', library: 'safetensors', counted: count },
      statistics: count
        ? await numbers.statisticsOf(stored, name, signal)
        : new Float64Array(statisticNames.length).fill(Number.NaN),
      numbers:
        cut && product(shape) > 0 ? await numbers.cutOf(stored, name, shape, cut, signal) : cut && new Float32Array(),
    };
  });

  server.handle(countWeights, async ({ path, name, ...range }, { signal }) => {
    const { stored, numbers } = await open(path, name);
    return { counts: await numbers.histogramOf(stored, name, range, signal) };
  });
}

/** UserError('weights') where the file is damaged or has no such tensor any more. */
async function open(path: string, name: string) {
  checkPath(path);
  const [{ openStoredArrays }, { readSafetensorsHeader }, numbers] = await Promise.all([
    import('../../weights/safetensors-stored.ts'),
    import('../../weights/safetensors.ts'),
    import('../../weights/tensor-numbers.ts'),
  ]);
  const entry = (await readSafetensorsHeader(path)).entries.find((one) => one.name === name);
  if (!entry) {
    throw new UserError('weights', `${path} has no tensor '${name}'`, 'The file has changed: open it again.');
  }
  return { stored: await openStoredArrays(path), dtype: entry.dtype, own: entry.shape, numbers };
}

function checkPath(path: string): void {
  if (!isAbsolute(path)) throw new UserError('usage', `${path} is no whole path`, 'Give a whole path.');
}

/** Panels look at five axes at most: the first ones of more are laid together. */
function atMostFive(shape: readonly number[]): readonly number[] {
  const apart = Math.max(0, shape.length - 4);
  return shape.length <= 5 ? shape : [product(shape.slice(0, apart)), ...shape.slice(apart)];
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}
