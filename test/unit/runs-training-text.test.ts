/** Teaching a text-to-image model: a run like any other, whose result is a diffusers folder. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { captionedBatch, samplePrompts } from '../../backend/data/captioned/captioned-batch.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createAutoencoderKL } from '../../backend/nets/stable-diffusion/autoencoder-kl.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { LatentProgram } from '../../backend/sampling/latent-programs.ts';
import { captionTokenizer } from '../../backend/teach/caption-tokenizer.ts';
import { openInitialComponent } from '../../backend/teach/initial-component.ts';
import { encodePool } from '../../backend/teach/latent-pool.ts';
import { ClipTokenizer } from '../../backend/text/index.ts';
import { componentOf, openDiffusersFolder, readComponentWeights } from '../../backend/weights/diffusers/index.ts';
import { curves, runHere, scratch, stateBytes } from './training/tiny.ts';
import { autoencoderConfig, textConfig } from './training/tiny-text.ts';

const root = scratch();
let vae = '';

{
  const run = await runHere({ config: autoencoderConfig({ iterations: 1 }), root });
  assert.ok(run.last.type === 'ended', JSON.stringify(run.last));
  vae = path.join(run.folder, 'vae');
}

test('n steps equal k, a stop, a resume, n - k, bit for bit', async () => {
  const config = textConfig(vae, { accumulation: 2 });
  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const first = await runHere({ config, root }, { until: 2 });
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
  assert.deepEqual([...second.scalars.keys()], [3, 4]);
  assert.deepEqual(stateBytes(first.folder, 4), stateBytes(whole.folder, 4));
  assert.deepEqual(curves(first.folder), curves(whole.folder));
  const unet = path.join('teacher', 'unet', 'diffusion_pytorch_model.safetensors');
  const bytes = (folder: string) => fs.readFileSync(path.join(folder, unet)).toString('hex');
  assert.equal(bytes(first.folder), bytes(whole.folder));
});

test('the result has every component, its autoencoder and words among them, and another run can begin with it', async () => {
  const run = await runHere({ config: textConfig(vae), root });
  assert.ok(run.last.type === 'ended', JSON.stringify(run.last));
  const folder = path.join(run.folder, 'teacher');
  const opened = openDiffusersFolder(folder);
  assert.equal(opened.pipeline, 'StableDiffusionPipeline');
  assert.deepEqual([...opened.components.keys()].sort(), ['scheduler', 'text_encoder', 'tokenizer', 'unet', 'vae']);
  const network = createAutoencoderKL(JSON.parse(fs.readFileSync(path.join(vae, 'config.json'), 'utf8')));
  const expected = new Map(network.layout.entries.map(({ name, shape }) => [name, shape]));
  const copied = await readComponentWeights(componentOf(opened, 'vae'), expected);
  assert.deepEqual(copied, (await openInitialComponent(vae, network.layout)).weights);
  assert.equal(
    JSON.parse(fs.readFileSync(path.join(folder, 'vae', 'config.json'), 'utf8')).scaling_factor,
    network.scalingFactor,
  );
  const scheduler = JSON.parse(fs.readFileSync(path.join(folder, 'scheduler', 'scheduler_config.json'), 'utf8'));
  assert.deepEqual(
    [scheduler._class_name, scheduler.prediction_type, scheduler.timestep_spacing],
    ['DDIMScheduler', 'v_prediction', 'trailing'],
  );
  const tokenizer = await ClipTokenizer.fromFolder(path.join(folder, 'tokenizer'));
  const text = JSON.parse(fs.readFileSync(path.join(folder, 'text_encoder', 'config.json'), 'utf8'));
  assert.equal(text.vocab_size, tokenizer.vocabularySize);
  assert.equal(tokenizer.maxTokens, 32);

  // Other captions: a vocabulary made of them would be another one.
  const change = { initial: folder, data: { seed: 9, count: 64 }, optimizer: { lr: 0 } };
  const goesOn = await runHere({ config: textConfig(vae, change), root });
  assert.ok(goesOn.last.type === 'ended', JSON.stringify(goesOn.last));
  const weightFiles = ['unet/diffusion_pytorch_model.safetensors', 'text_encoder/model.safetensors'];
  for (const file of [...weightFiles, 'tokenizer/vocab.json', 'tokenizer/merges.txt']) {
    const bytes = (base: string) => fs.readFileSync(path.join(base, file)).toString('hex');
    assert.equal(bytes(path.join(goesOn.folder, 'teacher')), bytes(folder), file);
  }
});

test('pictures of held-out prompts are recorded, and histograms', async () => {
  const record = { samplesEvery: 2, samples: 2, sampleSteps: 2, guidance: 2, histogramsEvery: 4 };
  const run = await runHere({ config: textConfig(vae, { record }), root });
  assert.ok(run.last.type === 'ended', JSON.stringify(run.last));
  const names = [0, 2, 4].map((step) => `step-0000000${step}.png`);
  assert.deepEqual(fs.readdirSync(runPaths(run.folder).samples), names);
});

test('a stop while images are encoded ends the run, which can go on', async () => {
  const config = textConfig(vae, { data: { seed: 3, count: 200 } });
  const stopped = await runHere(
    { config, root },
    { onMessage: (message, control) => message.type === 'work' && message.done === 64 && control.stop() },
  );
  assert.ok(stopped.last.type === 'ended' && stopped.last.state === 'stopped', JSON.stringify(stopped.last));
  const resumed = await runHere({ folder: stopped.folder });
  assert.ok(resumed.last.type === 'ended' && resumed.last.state === 'finished', JSON.stringify(resumed.last));
});

test('an autoencoder that is another one by now is refused by name; so is what is none', async () => {
  const own = path.join(root, 'own', 'vae');
  fs.cpSync(vae, own, { recursive: true });
  const first = await runHere({ config: textConfig(own), root }, { until: 1 });
  const weights = path.join(own, 'diffusion_pytorch_model.safetensors');
  const bytes = fs.readFileSync(weights);
  bytes[bytes.length - 4] ^= 1;
  fs.writeFileSync(weights, bytes);
  const refused = await runHere({ folder: first.folder });
  assert.ok(refused.last.type === 'failed');
  assert.match(refused.last.error.message, /is not the vae that the run began with/);
  const unknown = await runHere({ config: textConfig('builtin:scenes-txt/vae'), root });
  assert.ok(unknown.last.type === 'failed' && unknown.last.error.kind === 'weights');
  assert.equal(unknown.last.error.hint, 'There is builtin:scenes-text/vae.');
  const none = await runHere({ config: textConfig(root), root });
  assert.ok(none.last.type === 'failed' && none.last.error.kind !== 'bug', JSON.stringify(none.last));
});

test("the vocabulary has every word of the captions as one token where it may be large enough; a caption's end is never cut", async () => {
  const config = textConfig('unused', { vocabulary: 1000, data: { seed: 1, count: 4096 } });
  assert.ok(config.kind === 'teach-text');
  const { ids, tokens } = await captionTokenizer(config, config.tokenizer);
  assert.ok(tokens.count > 514 && tokens.count < 1000, `${tokens.count}`);
  for (const { prompt } of samplePrompts(200, 'held-out', 5)) {
    const found = [...ids(prompt)];
    assert.equal(found.length, 32);
    assert.equal(found[0], tokens.start);
    const words = prompt.match(/\w+|,/g)!.length;
    assert.equal(found.indexOf(tokens.end), words + 1, prompt);
  }
  assert.deepEqual([...ids('')], [tokens.start, tokens.end, ...Array<number>(30).fill(tokens.padding)]);
  const short = textConfig('unused', { text_encoder: { max_position_embeddings: 6 } });
  assert.ok(short.kind === 'teach-text');
  await assert.rejects(
    captionTokenizer(short, short.tokenizer),
    /max_position_embeddings is 6, too few for captions such as/,
  );
});

test('the pool has the latents and words of each image, whatever the blocks are', async () => {
  const network = createAutoencoderKL(JSON.parse(fs.readFileSync(path.join(vae, 'config.json'), 'utf8')));
  const { weights } = await openInitialComponent(vae, network.layout);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const encoder = (batch: number) =>
      LatentProgram.create(engine, 'encode', { network, size: 64, batch, weights, scale: 1 });
    const batch = (indices: readonly number[]) => captionedBatch(3, indices, 'train');
    const source = { count: 7, batch, ids: (caption: string) => Float32Array.of(caption.length, 1) };
    const done: number[] = [];
    const signal = new AbortController().signal;
    const pool = await encodePool(source, await encoder(3), { block: 3, onProgress: (n) => done.push(n), signal });
    assert.deepEqual(done, [3, 6, 7]);
    const { latents, ids } = pool.samples([6, 0, 6]);
    assert.deepEqual(
      [latents.shape, ids.shape],
      [
        [3, 2, 8, 8],
        [3, 2],
      ],
    );
    const { images, captions } = batch([6, 0, 6]);
    const alone = await (await encoder(3)).run(images);
    latents.data.forEach((value, i) => {
      assert.ok(Math.abs(value - alone.data[i]) < 1e-4, `number ${i}: ${value}, expected ${alone.data[i]}`);
    });
    assert.deepEqual(
      [...ids.data],
      captions.flatMap((caption) => [caption.length, 1]),
    );
  } finally {
    await engine.dispose();
  }
});
