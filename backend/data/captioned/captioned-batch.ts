/** Captioned scenes for training and for measures: batches of images with captions, and prompts alone. */
import { type TensorData, tensorData } from '../../graph/tensor-data.ts';
import type { Wanted } from './attributes.ts';
import type { CaptionedScene, SceneKind, Split } from './scene.ts';
import { captionedScene, captionedSize, paintCaptioned } from './scene.ts';

export interface CaptionedBatch {
  /** [B, 3, 64, 64] in [-1, 1]. */
  readonly images: TensorData;
  readonly captions: readonly string[];
  /** What each caption says. */
  readonly wanted: readonly Wanted[];
  readonly scenes: readonly CaptionedScene[];
}

/** The given scenes of a split of the data set `seed`; every index from 0 up is a scene. */
export function captionedBatch(
  seed: number,
  indices: readonly number[],
  split: Split = 'train',
  kind: SceneKind = 'all',
): CaptionedBatch {
  const scenes = indices.map((index) => captionedScene(seed, index, { split, kind }));
  const numbers = 3 * captionedSize ** 2;
  const data = new Float32Array(scenes.length * numbers);
  for (const [i, scene] of scenes.entries()) paintCaptioned(scene, data.subarray(i * numbers, (i + 1) * numbers));
  return {
    images: tensorData([scenes.length, 3, captionedSize, captionedSize], data),
    captions: scenes.map(({ caption }) => caption),
    wanted: scenes.map(({ wanted }) => wanted),
    scenes,
  };
}

export interface SamplePrompt {
  readonly prompt: string;
  readonly wanted: Wanted;
}

/** The captions of the first `count` scenes of a split, without drawing their images. */
export function samplePrompts(count: number, split: Split, seed: number): SamplePrompt[] {
  return Array.from({ length: count }, (_, index) => {
    const { caption, wanted } = captionedScene(seed, index, { split });
    return { prompt: caption, wanted };
  });
}
