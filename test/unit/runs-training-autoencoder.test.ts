/** Teaching an autoencoder: a run like any other, whose result diffusers' layout has. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { captionedBatch } from '../../backend/data/captioned/captioned-batch.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createAutoencoderKL } from '../../backend/nets/stable-diffusion/autoencoder-kl.ts';
import { stream } from '../../backend/random/stream.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { LatentProgram, Spread } from '../../backend/sampling/latent-programs.ts';
import { openInitialComponent } from '../../backend/teach/initial-component.ts';
import { cropped } from '../../backend/teach/teach-autoencoder.ts';
import { peakSignalToNoise, sideBySide } from '../../backend/teach/teach-autoencoder-session.ts';
import { uniform } from '../random.ts';
import { curves, runHere, scratch, stateBytes } from './training/tiny.ts';
import { autoencoderConfig } from './training/tiny-text.ts';

test('n steps equal k, a stop, a resume, n - k, bit for bit; the folder vae is what was averaged', async () => {
  const root = scratch();
  const config = autoencoderConfig({ accumulation: 2, crops: { size: 16, batch: 3, iterations: 3 } });
  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const first = await runHere({ config, root }, { until: 2 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped');
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
  assert.deepEqual([...second.scalars.keys()], [3, 4]);
  assert.deepEqual(stateBytes(first.folder, 4), stateBytes(whole.folder, 4));
  assert.deepEqual(curves(first.folder), curves(whole.folder));
  for (const tag of ['loss/autoencoder', 'loss/reconstruction', 'loss/edges', 'loss/kl', 'norm/autoencoder']) {
    assert.equal(curves(whole.folder).get(tag)?.length, 4, tag);
  }
  const file = path.join('vae', 'diffusion_pytorch_model.safetensors');
  const bytes = (folder: string) => fs.readFileSync(path.join(folder, file)).toString('hex');
  assert.equal(bytes(first.folder), bytes(whole.folder));
});

test("the scale in config.json makes the latents' standard deviation 1; another run can begin with the folder", async () => {
  const root = scratch();
  const run = await runHere({ config: autoencoderConfig(), root });
  assert.ok(run.last.type === 'ended');
  const folder = path.join(run.folder, 'vae');
  const raw = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8'));
  assert.equal(raw._class_name, 'AutoencoderKL');
  const network = createAutoencoderKL(raw);
  const { weights, input } = await openInitialComponent(folder, network.layout);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const spread = new Spread();
  try {
    const scale = network.scalingFactor;
    const program = await LatentProgram.create(engine, 'encode', { network, size: 64, batch: 40, weights, scale });
    const indices = Array.from({ length: 40 }, (_, i) => i);
    spread.add((await program.run(captionedBatch(3, indices, 'train').images)).data);
  } finally {
    await engine.dispose();
  }
  assert.ok(Math.abs(spread.deviation - 1) < 0.05, `${spread.deviation} for 40 of the 40 images, some counted twice`);

  const goesOn = await runHere({ config: autoencoderConfig({ initial: folder, optimizer: { lr: 0 } }), root });
  assert.ok(goesOn.last.type === 'ended', JSON.stringify(goesOn.last));
  const same = await openInitialComponent(path.join(goesOn.folder, 'vae'), network.layout);
  assert.deepEqual(same.weights, weights);
  assert.equal(same.input.sha256, input.sha256);
  const other = autoencoderConfig({ initial: folder, network: { block_out_channels: [4, 4], norm_num_groups: 2 } });
  const refused = await runHere({ config: other, root });
  assert.ok(refused.last.type === 'failed' && refused.last.error.kind === 'weights', JSON.stringify(refused.last));
  const missing = await runHere({ config: autoencoderConfig({ initial: root }), root });
  assert.ok(missing.last.type === 'failed');
  assert.match(missing.last.error.message, /has no weights/);
});

test('a decoder can be trained on, and its encoder stays what it was to the bit', async () => {
  const root = scratch();
  const first = await runHere({ config: autoencoderConfig(), root });
  assert.ok(first.last.type === 'ended');
  const initial = path.join(first.folder, 'vae');
  const network = createAutoencoderKL(JSON.parse(fs.readFileSync(path.join(initial, 'config.json'), 'utf8')));
  const optimizer = { warmup: 1, lr: 1e-3, weightDecay: 0 };
  const next = await runHere({ config: autoencoderConfig({ initial, trains: 'decoder', optimizer }), root });
  assert.ok(next.last.type === 'ended', JSON.stringify(next.last));
  const { weights: before } = await openInitialComponent(initial, network.layout);
  const { weights: after } = await openInitialComponent(path.join(next.folder, 'vae'), network.layout);
  for (const [name, { data }] of before) {
    const stays = name.startsWith('encoder.') || name.startsWith('quant_conv.');
    assert.equal(
      Buffer.compare(Buffer.from(data.buffer), Buffer.from(after.get(name)!.data.buffer)) === 0,
      stays,
      name,
    );
  }
  for (const wrong of [{ optimizer }, { initial, optimizer: { ...optimizer, weightDecay: 0.1 } }]) {
    assert.throws(() => autoencoderConfig({ trains: 'decoder', ...wrong }), /with trains 'decoder'/);
  }
});

test('held-out images are shown beside what comes back of them, with the noise of it as a curve', async () => {
  const record = { samplesEvery: 2, samples: 3, histogramsEvery: 4 };
  const run = await runHere({ config: autoencoderConfig({ record }), root: scratch() });
  assert.ok(run.last.type === 'ended', JSON.stringify(run.last));
  assert.deepEqual(fs.readdirSync(runPaths(run.folder).samples), [
    'step-00000000.png',
    'step-00000002.png',
    'step-00000004.png',
  ]);
  const noise = curves(run.folder).get('quality/peak signal to noise dB')!;
  assert.deepEqual(
    noise.map(([step]) => step),
    [0, 2, 4],
  );
  assert.ok(noise.every(([, value]) => value > 0 && value < 40));
});

test('a crop is a part of its image, somewhere else in each, and its size must fit the network', async () => {
  const [batch, channels, size, side] = [400, 2, 5, 3];
  const images = { shape: [batch, channels, size, size], data: new Float32Array(batch * channels * size * size) };
  images.data.forEach((_, i) => {
    images.data[i] = i;
  });
  const most: number[] = [];
  const random = stream(uniform(), 'crops');
  const { shape, data } = cropped(images, side, (limit) => {
    most.push(limit);
    return random.randint(0, limit + 1, 1)[0];
  });
  assert.deepEqual(shape, [batch, channels, side, side]);
  assert.deepEqual([...new Set(most)], [size - side]);
  const corners = new Set<number>();
  for (let b = 0; b < batch; b++) {
    const first = data[b * channels * side * side];
    const corner = first - b * channels * size * size;
    corners.add(corner);
    for (let i = 0; i < channels * side * side; i++) {
      const [c, y, x] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
      assert.equal(data[b * channels * side * side + i], first + c * size * size + y * size + x);
    }
  }
  assert.deepEqual(
    [...corners].sort((a, b) => a - b),
    [0, 1, 2, 5, 6, 7, 10, 11, 12],
  );
  for (const wrong of [12, 72]) {
    const run = await runHere({ config: autoencoderConfig({ crops: { size: wrong } }), root: scratch() });
    assert.ok(run.last.type === 'failed');
    assert.match(
      run.last.error.message,
      new RegExp(`crops.size is ${wrong}, but it must be a multiple of 8, at most 64`),
    );
  }
});

test('pictures in turn, and the ratio of signal to noise in decibels', () => {
  const of = (...data: number[]) => ({ shape: [2, 1, 1, 2], data: Float32Array.from(data) });
  assert.deepEqual(sideBySide(of(1, 2, 3, 4), of(5, 6, 7, 8)), {
    shape: [4, 1, 1, 2],
    data: Float32Array.of(1, 2, 5, 6, 3, 4, 7, 8),
  });
  assert.ok(Math.abs(peakSignalToNoise(of(0, 0, 0, 0), of(0.2, -0.2, 0.2, 0.2)) - 20) < 1e-5);
  assert.equal(peakSignalToNoise(of(1, -1, 1, -1), of(7, -7, 1, -1)), 120, 'what is outside is not seen');
});

test('a number that is not finite stops the run before anything is committed', async () => {
  const config = autoencoderConfig({ optimizer: { lr: 1e30, warmup: 0, clip: 0 }, iterations: 20 });
  const run = await runHere({ config, root: scratch() });
  assert.ok(run.last.type === 'failed' && run.last.error.kind === 'numeric', JSON.stringify(run.last));
  assert.match(run.last.error.hint, /dmd teach --resume .* --set optimizer\.lr=/);
});
