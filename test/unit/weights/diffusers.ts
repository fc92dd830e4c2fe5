/** A small model folder of made-up numbers, and what its networks expect: for tests of reading, not of computing. */
import type { TensorData } from '../../../backend/graph/tensor-data.ts';
import { writeDiffusersFolder } from '../../../backend/weights/diffusers/index.ts';

const tensor = (shape: number[], start: number): TensorData => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => start + i / 8),
});

export const unet = new Map([
  ['conv_in.weight', tensor([2, 3, 1, 1], 1)],
  ['conv_in.bias', tensor([2], 20)],
  ['mid.to_q.weight', tensor([2, 2], -4)],
]);

/** What a network asks for, from weights that fit it. */
export const expectedOf = (weights: ReadonlyMap<string, TensorData>) =>
  new Map(Array.from(weights, ([name, { shape }]) => [name, shape]));

/** Writes a whole model of the built-in kind, without a sense. */
export async function writeFakeModel(folder: string, options: { half?: boolean } = {}): Promise<void> {
  const network = (className: string) => ({ className, config: { size: 2 }, tensors: unet });
  await writeDiffusersFolder(
    folder,
    {
      unet: network('UNet2DConditionModel'),
      vae: network('AutoencoderKL'),
      text_encoder: network('CLIPTextModel'),
      tokenizer: { 'vocab.json': '{}', 'merges.txt': '' },
      scheduler: { className: 'DDIMScheduler', config: { num_train_timesteps: 1000 } },
    },
    options,
  );
}
