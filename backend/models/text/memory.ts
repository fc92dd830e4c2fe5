/** Whether a model fits into this machine's memory, found out before the gigabytes are read. */
import { UserError } from '../../protocol/errors.ts';
import { largestConstants } from '../frozen-weights.ts';
import type { TextModel } from './text-model.ts';

/** Bytes that a model takes while it is made ready, at most: float32 weights, those that are constants four times over. */
export function memoryNeeded({ textEncoder, unet, vae }: TextModel, lowMemory: boolean): number {
  const sizes = [textEncoder, unet, vae].map(({ layout }) => 4 * layout.size);
  const kept = sizes.reduce((sum, bytes) => sum + bytes, 0);
  // Networks are compiled one after the other; while one is, its model file and the runtime's copies are there as well.
  const constants = lowMemory ? [] : sizes.filter((bytes) => bytes <= largestConstants);
  return kept + 3 * Math.max(0, ...constants);
}

/** Throws UserError('device') that says what there is and what would fit. */
export function requireMemory(model: TextModel, lowMemory: boolean, available = availableMemory()): void {
  const needed = memoryNeeded(model, lowMemory);
  if (needed <= available) return;
  const { name } = model;
  const sparing = memoryNeeded(model, true);
  const message = `${name} needs about ${gigabytes(needed)} of memory, but only ${gigabytes(available)} are free`;
  const hint =
    !lowMemory && sparing <= available
      ? `With --low-memory it takes about ${gigabytes(sparing)}.`
      : `Close other programs, or take a model of at most ${Math.floor(available / 4 / 1e6)} million parameters.`;
  throw new UserError('device', message, hint);
}

/** Of the machine, or of the container this runs in. */
function availableMemory(): number {
  return process.availableMemory?.() ?? Number.POSITIVE_INFINITY;
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
