/** How many CPU threads a text-to-image model is computed with. */
import type { TextModel } from './text-model.ts';

/** Networks below this many numbers are computed with on one thread: more only wait for each other. */
const smallModel = 2e7;

/** 0: one per core. */
export function threadsOf({ unet }: Pick<TextModel, 'unet'>): number {
  return unet.layout.size < smallModel ? 1 : 0;
}
