/** Distilling a text model with LPIPS on decoded images, through a tiny autoencoder (TAESD's kind), as the paper does. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPairs } from '../../backend/data/pairs.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { constantParameters, initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { lpips } from '../../backend/nets/index.ts';
import { createAutoencoderTiny } from '../../backend/nets/stable-diffusion/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { writeComponent } from '../../backend/weights/diffusers/index.ts';
import { writeSafetensors } from '../../backend/weights/safetensors.ts';
import { decodeTensors } from '../../backend/weights/tensor-file.ts';
import { recordedLpipsWeights } from '../golden/lpips-weights.ts';
import { curves, distillConfig, runHere, scratch } from '../unit/training/tiny.ts';
import { upsampled } from './upsampled.ts';

const teacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const latentShape = [4, 8, 8];
const root = scratch();
after(() => fs.rmSync(root, { recursive: true, force: true }));

const decoderConfig = {
  ...{ encoder_block_out_channels: [4, 4], decoder_block_out_channels: [4, 4] },
  ...{ num_encoder_blocks: [1, 1], num_decoder_blocks: [1, 1] },
};
const decoder = createAutoencoderTiny(decoderConfig);
const decoderWeights = unpackParameters(decoder.layout, initialParameters(decoder.layout, stream(5, 'decoder')));

/** LPIPS of what two latents decode to, in three separate steps. */
async function distanceOf(latents: readonly TensorData[]): Promise<number> {
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const decoding = new Graph();
    const latent = decoding.input('latent', [1, ...latentShape]);
    decoding.output('image', decoder.decode(constantParameters(decoding, decoderWeights), latent));
    const decode = await engine.compile(decoding);
    const images: TensorData[] = [];
    for (const each of latents) {
      const { image } = await decode.run({ latent: each });
      images.push(upsampled({ shape: [...image.shape], data: await image.read() }, 224));
    }
    const graph = new Graph();
    const [a, b] = ['a', 'b'].map((name) => graph.input(name, [1, 3, 224, 224]));
    graph.output('distance', lpips(constantParameters(graph, recordedLpipsWeights()), a, b));
    const program = await engine.compile(graph);
    const { distance } = await program.run({ a: images[0], b: images[1] });
    return (await distance.read())[0];
  } finally {
    await engine.dispose();
  }
}

test('loss/regression is LPIPS of what the latents decode to, and training lowers it', async () => {
  const lpipsWeights = path.join(root, 'lpips.safetensors');
  const stored = [...recordedLpipsWeights()].map(
    ([name, tensor]) => [name, { ...tensor, dtype: 'F32' as const }] as const,
  );
  await writeSafetensors(lpipsWeights, new Map(stored), { metadata: {} });
  await writeComponent(root, 'vae', { className: 'AutoencoderTiny', config: decoderConfig, tensors: decoderWeights });
  const prompts = path.join(root, 'prompts.txt');
  fs.writeFileSync(prompts, 'a red circle\n');
  const config = distillConfig(teacher, {
    ...{ iterations: 2, batch: 1, generator: { lr: 1e-5, warmup: 0 }, record: { fieldsEvery: 1 } },
    regression: { distance: 'lpips', lpipsWeights, lambda: 100, batch: 1, pairs: { count: 1, steps: 2 } },
    text: { prompts, guidance: 2, regressionSpace: 'image', decoder: path.join(root, 'vae') },
  });
  const { folder, last } = await runHere({ config, root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const [[, first], [, second]] = curves(folder).get('loss/regression')!;

  const file = path.join(runPaths(folder).fields, 'training', 'step-00000001.safetensors');
  const { tensors } = decodeTensors(fs.readFileSync(file), file);
  const pairs = await openPairs(path.join(folder, 'pairs'), { shape: latentShape, labelDim: 1 });
  const { y } = await pairs.batch([0]);
  const x = tensors.get('x')!;
  const numbers = y.data.length;
  // Unpaired latents come first.
  const made = { shape: [1, ...latentShape], data: x.data.slice(-numbers) };
  const expected = await distanceOf([made, y]);
  assert.ok(expected > 1e-3, `nothing to compare: ${expected}`);
  assert.ok(Math.abs(first - expected) <= 1e-4 * expected, `${first} recorded, ${expected} expected`);
  assert.ok(second < first, `${second} after one update, ${first} before`);
});
