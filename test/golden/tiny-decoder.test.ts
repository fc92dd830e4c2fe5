/** A tiny autoencoder beside a whole pipeline, against diffusers; and which folders do not stand beside it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';
import { refusal, scratchFolder } from '../unit/weights/files.ts';

interface Run {
  readonly seeds: readonly number[];
  readonly size: readonly [number, number];
}

const folder = new URL('./tiny-decoder/', import.meta.url);
const { runs } = JSON.parse(readFileSync(new URL('case.json', folder), 'utf8')) as { runs: Run[] };
const { tensors } = await readSafetensors(fileURLToPath(new URL('io.safetensors', folder)));
const model = fileURLToPath(new URL('./tiny-diffusion/model', import.meta.url));
const decoder = fileURLToPath(new URL('model', folder));
const scratch = scratchFolder();

const engine = await openDevice('cpu', 1);
const pipeline = TextPipeline.open(model, { engine });
after(async () => {
  await pipeline.dispose();
  await engine.dispose();
});
const request = { prompt: 'The red cat on blue', guidance: 3, steps: 2, scheduler: 'ddim' } as const;

for (const [i, run] of runs.entries()) {
  test(`${run.seeds.length} of ${run.size.join(' x ')}: the pixels of diffusers with an AutoencoderTiny`, async () => {
    const drawn = await pipeline.draw({ ...request, ...run, decoder });
    for (const key of ['latents', 'images'] as const) {
      const { shape, data } = toFloat32(tensors.get(`${i}.${key}`)!);
      assert.deepEqual(drawn[key].shape, shape);
      const largest = Math.max(...data.map(Math.abs));
      const worst = Math.max(...data.map((value, k) => Math.abs(value - drawn[key].data[k]!)));
      assert.ok(largest > 0.5 && worst < 1e-3 * largest, `${key}: off by ${worst} of ${largest}`);
    }
  });
}

test("another decoder changes the pixels alone, and the model's own is there again without it", async () => {
  const own = await pipeline.draw({ ...request, seeds: [4] });
  const tiny = await pipeline.draw({ ...request, seeds: [4], decoder });
  assert.deepEqual(tiny.latents, own.latents);
  assert.notDeepEqual(tiny.images, own.images);
  assert.equal(own.decoder, null);
  assert.equal(tiny.decoder?.folder, decoder);
  assert.match(tiny.decoder?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual((await pipeline.draw({ ...request, seeds: [4] })).images, own.images);
});

test("a decoder in the hub's cache is files that are links to blobs; a link that leads elsewhere is refused", async () => {
  const repository = scratch.path('models--org--taesd');
  const snapshot = join(repository, 'snapshots', 'a'.repeat(40));
  mkdirSync(snapshot, { recursive: true });
  cpSync(decoder, join(repository, 'blobs'), { recursive: true });
  const link = (name: string, to: string) => symlinkSync(to, join(snapshot, name));
  for (const name of ['config.json', 'diffusion_pytorch_model.safetensors']) link(name, `../../blobs/${name}`);
  const wanted = await pipeline.draw({ ...request, seeds: [4], decoder });
  const cached = await pipeline.draw({ ...request, seeds: [4], decoder: snapshot });
  assert.deepEqual(cached.images, wanted.images);
  const other = scratch.path('linked');
  mkdirSync(other);
  symlinkSync(join(decoder, 'config.json'), join(other, 'config.json'));
  await assert.rejects(
    pipeline.draw({ ...request, seeds: [4], decoder: other }),
    refusal(/leads out of the model folder/),
  );
});

test('other weights in the same folder are another decoder', async () => {
  const changing = scratch.path('changing');
  cpSync(decoder, changing, { recursive: true });
  const before = await pipeline.draw({ ...request, seeds: [4], decoder: changing });
  const file = join(changing, 'diffusion_pytorch_model.safetensors');
  const bytes = readFileSync(file);
  bytes.writeFloatLE(0.75, 8 + Number(bytes.readBigUInt64LE()));
  writeFileSync(file, bytes);
  const after = await pipeline.draw({ ...request, seeds: [4], decoder: changing });
  assert.notDeepEqual(after.images, before.images);
  assert.notEqual(after.decoder?.sha256, before.decoder?.sha256);
});

test('what is no decoder, or one of other latents, is refused before anything is drawn', async () => {
  const config = JSON.parse(readFileSync(join(decoder, 'config.json'), 'utf8')) as Record<string, unknown>;
  const other = (name: string, changes: Record<string, unknown>) => {
    const made = scratch.path(name);
    mkdirSync(made);
    writeFileSync(join(made, 'config.json'), JSON.stringify({ ...config, ...changes }));
    return made;
  };
  const deep = { num_encoder_blocks: [1, 1, 1, 1], num_decoder_blocks: [1, 1, 1, 1] };
  const wide = { encoder_block_out_channels: [8, 8, 8, 8], decoder_block_out_channels: [8, 8, 8, 8] };
  const refusals: [folder: string, kind: string, words: RegExp][] = [
    [scratch.path('nowhere'), 'weights', /nowhere is no autoencoder: there is no such folder/],
    [model, 'weights', /is no autoencoder: it has no config\.json/],
    [join(model, 'unet'), 'weights', /is no autoencoder: its config\.json says "UNet2DConditionModel"/],
    [other('sdxl-like', { latent_channels: 16 }), 'config', /latents of 16 channels, those of .* have 4/],
    [other('deep', { ...deep, ...wide }), 'config', /makes 8 x 8 pixels of a latent.* 2 x 2/],
    [other('grey', { in_channels: 1, out_channels: 1 }), 'config', /images of 1 channels/],
    [other('odd', { upsample_fn: 'bilinear' }), 'config', /odd\/config\.json: .*upsample_fn/],
    [other('empty', {}), 'weights', /empty has no weights/],
  ];
  for (const [beside, kind, words] of refusals) {
    await assert.rejects(pipeline.draw({ ...request, seeds: [1], decoder: beside }), refusal(words, kind));
  }
  assert.ok((await pipeline.draw({ ...request, seeds: [1], decoder })).images, 'and goes on');
});
