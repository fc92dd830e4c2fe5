/** Text-to-image models beyond the numbers: what is refused in which words, what is compiled and computed only once. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { exportTextModel } from '../../backend/export/text/export-text.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { importUNet } from '../../backend/models/text/import-unet.ts';
import { memoryNeeded, requireMemory } from '../../backend/models/text/memory.ts';
import { openTextModel } from '../../backend/models/text/text-model.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { unetHash } from '../../backend/sampling/text/text-picture.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { encodeSafetensors, readSafetensors } from '../../backend/weights/safetensors.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const tiny = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const scratch = scratchFolder();
let model = '';
let count = 0;
beforeEach(() => {
  model = scratch.path(`model${count++}`);
  cpSync(tiny, model, { recursive: true });
});

const cpu = await openDevice('cpu', 1);
after(() => cpu.dispose());

/** Counts what is compiled and how often each program runs. */
function counting(): { engine: Engine; compiled: string[]; runs: string[] } {
  const compiled: string[] = [];
  const runs: string[] = [];
  const engine: Engine = {
    device: cpu.device,
    crossings: cpu.crossings,
    capabilities: () => cpu.capabilities(),
    upload: (value) => cpu.upload(value),
    receive: (shape, slices) => cpu.receive(shape, slices),
    dispose: async () => {},
    async compile(graph, options = {}) {
      const name = options.name ?? '';
      compiled.push(name);
      const program = await cpu.compile(graph, options);
      return {
        inputs: program.inputs,
        outputs: program.outputs,
        dispose: () => program.dispose(),
        run(feeds) {
          runs.push(name);
          return program.run(feeds);
        },
      };
    },
  };
  return { engine, compiled, runs };
}

const edit = (file: string, change: (config: Record<string, unknown>) => unknown) => {
  const path = join(model, file);
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify(change(config)));
};

test('nothing is compiled twice, and a prompt is encoded once', async () => {
  const { engine, compiled, runs } = counting();
  const pipeline = TextPipeline.open(model, { engine });
  const request = { prompt: 'a red cat', negativePrompt: 'blue', seeds: [1], steps: 2, guidance: 3 };
  await pipeline.warmUp(request);
  assert.deepEqual(compiled, ['text encoder', 'unet', 'decoder']);
  assert.deepEqual(runs, []);
  await pipeline.draw(request);
  const texts = () => runs.filter((name) => name === 'text encoder').length;
  assert.equal(texts(), 2);
  await pipeline.draw({ ...request, seeds: [7], steps: 3 });
  await pipeline.draw({ ...request, prompt: 'a blue cat' });
  assert.equal(texts(), 3);
  assert.equal(compiled.length, 3);
  await pipeline.draw({ ...request, guidance: 1 });
  assert.deepEqual(compiled.slice(3), ['unet'], 'without guidance the UNet has half the batch');
  await pipeline.draw({ ...request, seeds: [1, 2] });
  assert.deepEqual(compiled.slice(4), ['unet', 'decoder'], 'two images at once');
  await pipeline.draw({ ...request, seeds: [1], size: [16, 32] });
  assert.equal(compiled.length, 8);
  await pipeline.dispose();
});

test("an image is its seed's own, whatever stands beside it", async () => {
  const pipeline = TextPipeline.open(model, { engine: cpu, batch: 2 });
  const request = { prompt: 'the red cat', steps: 3, guidance: 4 };
  const three = await pipeline.draw({ ...request, seeds: [5, 9, 2] });
  assert.deepEqual(three.images.shape, [3, 3, 16, 16]);
  const size = 3 * 16 * 16;
  for (const [i, seed] of [5, 9, 2].entries()) {
    const { images } = await pipeline.draw({ ...request, seeds: [seed] });
    images.data.forEach((value, k) => {
      assert.ok(Math.abs(value - three.images.data[i * size + k]!) < 1e-4);
    });
  }
  // Latent consistency adds noise at every step: it comes from the image's generator, after the latents.
  const lcm = { ...request, scheduler: 'lcm', guidance: 1 } as const;
  const [together, alone] = [
    await pipeline.draw({ ...lcm, seeds: [5, 9] }),
    await pipeline.draw({ ...lcm, seeds: [9] }),
  ];
  alone.images.data.forEach((value, k) => {
    assert.ok(Math.abs(value - together.images.data[size + k]!) < 1e-4);
  });
  await pipeline.dispose();
});

test('steps are told, with a preview that changes, and can be stopped', async () => {
  const pipeline = TextPipeline.open(model, { engine: cpu, batch: 1 });
  const seen: string[] = [];
  const previews: Float32Array[] = [];
  const request = { prompt: 'a cat', seeds: [1, 2], steps: 2, guidance: 2, scheduler: 'ddim' } as const;
  await pipeline.draw({
    ...request,
    async onStep({ done, total, images, preview }) {
      seen.push(`${done}/${total} ${images.from}-${images.to}`);
      const { shape, data } = await preview();
      assert.deepEqual(shape, [1, 3, 16, 16]);
      previews.push(data);
    },
  });
  assert.deepEqual(seen, ['1/4 0-1', '2/4 0-1', '3/4 1-2', '4/4 1-2']);
  assert.notDeepEqual(previews[0], previews[1]);
  const controller = new AbortController();
  const stopped = pipeline.draw({ ...request, signal: controller.signal, onStep: () => controller.abort() });
  await assert.rejects(stopped, (error) => error instanceof UserError && error.kind === 'cancelled');
  await pipeline.dispose();
});

test('what was cut off a prompt, and words that are not known, are told', async () => {
  const pipeline = TextPipeline.open(model, { engine: cpu });
  const long = `${'the red '.repeat(8)}on the blue cat`;
  const { prompt } = await pipeline.draw({ prompt: long, seeds: [0], steps: 1 });
  assert.match(prompt.truncated, /blue cat$/);
  const other = await pipeline.draw({ prompt: 'the zebra on blue', seeds: [0], steps: 1 });
  assert.deepEqual(other.prompt, { truncated: '', unknownWords: ['zebra'] });
  await pipeline.dispose();
});

test('how published models are called', async () => {
  const calling = () => openTextModel(model).calling;
  assert.deepEqual(calling(), { oneStep: null, steps: 50, guidance: 7.5 });
  edit('model_index.json', (index) => ({ ...index, _class_name: 'RectifiedFlowPipeline' }));
  assert.deepEqual(calling().oneStep, { timestep: 1000, again: [], prediction: 'velocity' });
  edit('model_index.json', (index) => ({ ...index, _class_name: 'StableDiffusionPipeline' }));
  const scheduler = 'scheduler/scheduler_config.json';
  edit(scheduler, (config) => ({ ...config, _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'trailing' }));
  assert.deepEqual(calling(), { oneStep: null, steps: 1, guidance: 1 });
  for (const other of [{ prediction_type: 'v_prediction' }, { rescale_betas_zero_snr: true }]) {
    edit(scheduler, (config) => ({ ...config, ...other }));
    assert.deepEqual(calling(), { oneStep: null, steps: 50, guidance: 7.5 }, 'taught to begin in pure noise');
    edit(scheduler, (config) => ({ ...config, prediction_type: 'epsilon', rescale_betas_zero_snr: false }));
  }
  edit(scheduler, (config) => ({ ...config, _class_name: 'LCMScheduler' }));
  assert.deepEqual(calling(), { oneStep: null, steps: 4, guidance: 1 });
  writeFileSync(
    join(model, 'dmd.json'),
    JSON.stringify({ role: 'generator', timestep: 399, prediction: 'v_prediction' }),
  );
  assert.deepEqual(calling().oneStep, { timestep: 399, again: [], prediction: 'v_prediction' });
  for (const [wrong, pattern] of [
    [{ role: 'judge' }, /dmd.json: role: /],
    [{ timestep: -1 }, /dmd.json: timestep: /],
    [{ prediction: 'noise' }, /dmd.json: prediction: /],
    [{ again: [0.5] }, /dmd.json: again.0: /],
    [{ timestep: 399, again: [500] }, /dmd.json: again: must be timesteps that descend from below 399/],
    [{ again: [500, 500] }, /dmd.json: again: must be timesteps that descend/],
  ] as const) {
    writeFileSync(join(model, 'dmd.json'), JSON.stringify(wrong));
    assert.throws(calling, refusal(pattern));
  }
  writeFileSync(join(model, 'dmd.json'), JSON.stringify({ timestep: 5000 }));
  const pipeline = TextPipeline.open(model, { engine: cpu });
  await assert.rejects(
    pipeline.draw({ prompt: '', seeds: [0] }),
    refusal(/timestep is 5000, but the schedule has 1000/),
  );
  await pipeline.dispose();
});

test('a few-step generator is called in its own steps, with new noise of each seed in between', async () => {
  const again = [600, 200];
  writeFileSync(join(model, 'dmd.json'), JSON.stringify({ role: 'generator', again }));
  const pipeline = TextPipeline.open(model, { engine: cpu, batch: 2 });
  assert.deepEqual([pipeline.model.calling.steps, pipeline.model.calling.oneStep?.again], [3, again]);
  const draw = (seeds: number[], steps?: number) =>
    pipeline.draw({ prompt: 'a cat', seeds, ...(steps === undefined ? {} : { steps }) });
  const seen: TensorData[] = [];
  const all = await pipeline.draw({
    prompt: 'a cat',
    seeds: [4, 7],
    onStep: async ({ preview }) => void seen.push(await preview()),
  });
  assert.deepEqual([all.steps, all.calls, all.scheduler, seen.length], [3, 3, null, 3]);
  for (const [i, { data }] of seen.entries())
    assert.deepEqual((await draw([4, 7], i + 1)).images.data, data, `${i + 1} steps`);
  assert.notDeepEqual(seen[1]!.data, seen[2]!.data);
  const alone = (await draw([7])).images.data;
  assert.deepEqual(all.images.data.subarray(alone.length), alone, "an image is its seed's own");
  await assert.rejects(draw([4], 4), refusal(/is a generator of 3 steps: it takes no 4 steps/, 'usage'));
  await pipeline.dispose();
});

test('a scheduler that is not here, or an option of it, matters when it is used', async () => {
  const { engine, compiled } = counting();
  const request = { prompt: 'a cat', seeds: [0], steps: 2 };
  for (const [change, words] of [
    [{ _class_name: 'EulerAncestralDiscreteScheduler' }, /names the scheduler EulerAncestralDiscreteScheduler/],
    [{ _class_name: 'EulerDiscreteScheduler', use_beta_sigmas: true }, /use_beta_sigmas: only false is supported/],
  ] as const) {
    edit('scheduler/scheduler_config.json', (config) => ({ ...config, ...change }));
    const pipeline = TextPipeline.open(model, { engine });
    await assert.rejects(pipeline.draw(request), refusal(words, 'config'));
    await assert.rejects(pipeline.warmUp(request), refusal(words, 'config'));
    assert.deepEqual(compiled, []);
    const drawing = TextPipeline.open(model, { engine: cpu });
    const { scheduler, images } = await drawing.draw({ ...request, scheduler: 'ddim' });
    await drawing.dispose();
    assert.equal(scheduler, 'ddim');
    assert.ok(images.data.every(Number.isFinite));
    const file = join(tiny, 'unet', 'diffusion_pytorch_model.safetensors');
    const imported = await importUNet({ base: model, file, out: `${model}-${scheduler}${words.source.length}` });
    assert.deepEqual([imported.timestep, imported.prediction], [999, 'epsilon']);
    const exported = await exportTextModel({ model, target: `${model}-onnx${words.source.length}` });
    assert.ok(exported.ok);
  }
});

test('what averaging left in configurations is passed over with a warning, and is not in what is made of the folder', async () => {
  const averaging = { decay: 0.9999, inv_gamma: 1, min_decay: 0, optimization_step: 1, power: 2 / 3, some_block: null };
  for (const part of ['unet', 'vae']) edit(`${part}/config.json`, (config) => ({ ...config, ...averaging }));
  edit('scheduler/scheduler_config.json', (config) => ({ ...config, beta_curve: 2 }));
  const { warnings } = openTextModel(model);
  const keys = Object.keys(averaging).join(', ');
  const said = ['unet', 'vae'].map((part) => `${part}/config.json: without effect here: ${keys}`);
  assert.deepEqual(warnings.slice(0, -1), said);
  assert.match(warnings.at(-1)!, /beta_curve/);
  const file = join(tiny, 'unet', 'diffusion_pytorch_model.safetensors');
  const { warnings: told } = await importUNet({ base: model, file, out: `${model}-student` });
  assert.deepEqual(told, warnings);
  const config = JSON.parse(readFileSync(join(`${model}-student`, 'unet', 'config.json'), 'utf8')) as object;
  assert.ok(!Object.keys(config).some((key) => key in averaging));
});

test('a variant is taken where a component has it, and must be that of one', async () => {
  const whole = join(model, 'unet', 'diffusion_pytorch_model.safetensors');
  const { tensors } = await readSafetensors(whole);
  const halved = [...tensors].map(([name, tensor]) => {
    return [name, tensor.dtype === 'F32' ? { ...tensor, data: tensor.data.map((x) => x / 2) } : tensor] as const;
  });
  writeFileSync(join(model, 'unet', 'diffusion_pytorch_model.non_ema.safetensors'), encodeSafetensors(halved));
  const read = async (variant?: string) => {
    const opened = openTextModel(model, variant === undefined ? {} : { variant });
    const [unet, vae] = [await opened.readWeights('unet'), await opened.readWeights('vae')];
    return { unet: unet.get('conv_in.weight')!.data, vae, hash: await unetHash(opened) };
  };
  const [usual, other] = [await read(), await read('non_ema')];
  assert.deepEqual(
    other.unet,
    usual.unet.map((x) => x / 2),
  );
  assert.deepEqual(other.vae, usual.vae);
  assert.notEqual(other.hash, usual.hash);
  assert.throws(() => openTextModel(model, { variant: 'bf16' }), refusal(/unet has no weights of the variant bf16/));
});

test('a number of layers that the text encoder does not have is refused', () => {
  assert.throws(
    () => openTextModel(model, { clipSkip: 2 }),
    refusal(/'clip_skip' is 2: the encoder has 2 layers/, 'config'),
  );
});

test('what a model cannot do is refused before anything is computed', async () => {
  const { engine, compiled } = counting();
  const draw = (options: object) => {
    const pipeline = TextPipeline.open(model, { engine });
    return pipeline.draw({ prompt: 'a cat', seeds: [0], ...options });
  };
  await assert.rejects(draw({ size: [18, 16] }), refusal(/makes no pictures of 18 x 16/, 'usage'));
  writeFileSync(join(model, 'dmd.json'), '{"role": "generator"}');
  await assert.rejects(draw({ steps: 4 }), refusal(/is a one-step generator: it takes no 4 steps/, 'usage'));
  await assert.rejects(draw({ scheduler: 'ddim' }), refusal(/is a one-step generator: it takes no scheduler/, 'usage'));
  await assert.rejects(draw({ guidance: 7 }), refusal(/its guidance was fixed when it was distilled/, 'usage'));
  assert.deepEqual(compiled, []);
});

test('components that do not belong together, and configurations that are not supported', () => {
  const open = () => openTextModel(model);
  edit('unet/config.json', (config) => ({ ...config, cross_attention_dim: 8 }));
  assert.throws(open, refusal(/text encoder gives 16 numbers per token, the unet takes 8/));
  edit('unet/config.json', (config) => ({ ...config, cross_attention_dim: 16, in_channels: 9 }));
  assert.throws(open, refusal(/the vae has 4 latent channels, the unet 9/));
  edit('unet/config.json', (config) => ({ ...config, in_channels: 4, class_embed_type: 'timestep' }));
  assert.throws(open, refusal(/unet\/config.json: .*class_embed_type/, 'config'));
  edit('unet/config.json', (config) => ({ ...config, class_embed_type: null }));
  edit('text_encoder/config.json', (config) => ({ ...config, vocab_size: 100 }));
  assert.throws(open, refusal(/tokenizer and text encoder are of different sizes/));
});

test('files that lead out of the folder are not read', async () => {
  const secret = await scratch.write('secret.json', '{}');
  rmSync(join(model, 'tokenizer', 'tokenizer_config.json'));
  symlinkSync(secret, join(model, 'tokenizer', 'tokenizer_config.json'));
  assert.throws(() => openTextModel(model), refusal(/tokenizer_config.json leads out of the model folder/));
});

test('a name of the hub is looked up in its cache', () => {
  const cache = scratch.path('cache');
  const repository = join(cache, 'models--lab--tiny');
  const commit = 'a'.repeat(40);
  mkdirSync(join(repository, 'refs'), { recursive: true });
  cpSync(tiny, join(repository, 'snapshots', commit), { recursive: true });
  writeFileSync(join(repository, 'refs', 'main'), commit);
  const before = process.env.HF_HUB_CACHE;
  process.env.HF_HUB_CACHE = cache;
  try {
    assert.equal(openTextModel('lab/tiny').folder.path, join(repository, 'snapshots', commit));
    assert.throws(() => openTextModel('lab/other'), refusal(/lab\/other is neither a folder nor a downloaded model/));
  } finally {
    if (before === undefined) delete process.env.HF_HUB_CACHE;
    else process.env.HF_HUB_CACHE = before;
  }
});

test('memory that is not there is found out before the weights are read', () => {
  const opened = openTextModel(model);
  const [usual, sparing] = [memoryNeeded(opened, false), memoryNeeded(opened, true)];
  assert.ok(sparing < usual);
  requireMemory(opened, false, usual);
  const fails = (lowMemory: boolean, available: number, hint: RegExp) =>
    assert.throws(
      () => requireMemory(opened, lowMemory, available),
      (error) => {
        assert.match((error as UserError).hint, hint);
        return refusal(/needs about \d+ MB of memory, but only \d+ MB are free/, 'device')(error);
      },
    );
  fails(false, usual - 1, /With --low-memory it takes about/);
  fails(true, sparing - 1, /Close other programs, or take a model of at most 0 million/);
});

test('a bare UNet becomes a model beside its base, and what does not fit is named', async () => {
  const { tensors } = await readSafetensors(join(tiny, 'unet', 'diffusion_pytorch_model.safetensors'));
  const changed = [...tensors].map(([name, tensor]) => {
    const halved = tensor.dtype === 'F32' ? { ...tensor, data: tensor.data.map((x) => x / 2) } : tensor;
    return [`module.${name}`, halved] as const;
  });
  const file = await scratch.write('generator.bin', encodeSafetensors(changed));
  const out = `${model}-student`;
  const imported = await importUNet({ base: model, file, out });
  assert.deepEqual(imported, {
    folder: out,
    parameters: openTextModel(model).unet.layout.size,
    timestep: 999,
    prediction: 'epsilon',
    key: '',
    others: [],
    warnings: [],
  });
  assert.equal(existsSync(join(out, 'vae')), false);
  const student = openTextModel(out);
  assert.equal(student.folder.base?.path, model);
  assert.deepEqual(student.calling, {
    oneStep: { timestep: 999, again: [], prediction: 'epsilon' },
    steps: 1,
    guidance: 1,
  });
  const weights = await student.readWeights('unet');
  const before = await openTextModel(model).readWeights('unet');
  assert.deepEqual(
    weights.get('conv_in.weight')!.data,
    before.get('conv_in.weight')!.data.map((x) => x / 2),
  );
  await assert.rejects(importUNet({ base: model, file, out }), refusal(/is not empty/, 'io'));
  await assert.rejects(importUNet({ base: out, file, out: `${out}2` }), refusal(/is no whole model itself/));
  const partial = await scratch.write('partial.bin', encodeSafetensors(changed.slice(2)));
  const wrong = importUNet({ base: model, file: partial, out: `${out}3` });
  await assert.rejects(wrong, refusal(/partial.bin: .*2 missing \(/));
  assert.equal(existsSync(`${out}3`), false);
});
