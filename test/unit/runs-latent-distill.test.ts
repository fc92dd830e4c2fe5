/** Distilling a text-to-image model as a run: from a diffusers folder to a folder that draws in one step, resumed to the bit. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { decodeTensors } from '../../backend/weights/tensor-file.ts';
import { curves, distillConfig, runHere, scratch, stateBytes } from './training/tiny.ts';

const teacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const root = scratch();
const promptFile = path.join(root, 'prompts.txt');
fs.writeFileSync(promptFile, 'a red circle\n\n  two blue stars on green \na square\n');

type Json = Parameters<typeof distillConfig>[1];
const textConfig = (change: Json = {}) =>
  distillConfig(teacher, {
    iterations: 4,
    regression: { pairs: { count: 3, steps: 2 }, batch: 1 },
    text: { prompts: promptFile, guidance: 2, ...(change.text as object) },
    ...Object.fromEntries(Object.entries(change).filter(([key]) => key !== 'text')),
  });

test('n steps equal k, a stop, a resume, n - k, bit for bit; the result is a model folder that draws', async () => {
  const record = {
    samplesEvery: 2,
    samples: 2,
    fieldsEvery: 2,
    probeEvery: 2,
    probe: { count: 2, levels: [100, 900] },
  };
  const config = textConfig({ record, fake: { lr: 2e-3, warmup: 2, updatesPerStep: 2 } });
  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended', JSON.stringify(whole.last));
  const encoded = whole.messages.flatMap((message) =>
    message.type === 'work' && message.label === 'prompts' ? [[message.done, message.total]] : [],
  );
  assert.deepEqual(encoded.at(-1), [3, 3], 'the run needs all of them, so they are encoded before it begins');
  const first = await runHere({ config, root }, { until: 2 });
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
  assert.deepEqual([...second.scalars.keys()], [3, 4]);
  assert.deepEqual(stateBytes(first.folder, 4), stateBytes(whole.folder, 4));
  assert.deepEqual(curves(first.folder), curves(whole.folder));
  assert.ok(whole.scalars.get(4)!['loss/matching']! > 0 && whole.scalars.get(4)!['loss/regression']! > 0);

  const probe = path.join(runPaths(whole.folder).fields, 'probe', 'step-00000004.safetensors');
  const { tensors } = decodeTensors(fs.readFileSync(probe), probe);
  const latent = [4, 8, 8];
  assert.deepEqual(tensors.get('muReal')!.shape.slice(0, 2), [2, 2]);
  assert.deepEqual([...tensors.get('timestep')!.data], [100, 900]);
  assert.deepEqual(tensors.get('x')!.shape.slice(1).length, latent.length);

  const student = path.join(whole.folder, 'generator');
  assert.deepEqual(fs.readdirSync(student).sort(), ['dmd.json', 'unet']);
  const engine = await openDevice('cpu', 1);
  const pipeline = TextPipeline.open(student, { engine });
  const { images, calls } = await pipeline.draw({ prompt: 'a red circle', seeds: [1, 2] });
  await pipeline.dispose();
  await engine.dispose();
  assert.equal(calls, 1);
  assert.equal(images.shape[0], 2);
  assert.ok(images.data.every(Number.isFinite));
});

for (const [title, change] of Object.entries<Json>({
  'on decoded images': { text: { regressionSpace: 'image' } },
  'with adapters and recomputation': { text: { lora: { generator: 2, fake: 1 } }, recompute: 'blocks' },
  'without distribution matching': { matching: { enabled: false } },
  'without regression, on captions of scenes': {
    regression: { enabled: false },
    text: { prompts: 'scenes', count: 5 },
  },
})) {
  test(`a run ${title} ends with a generator`, async () => {
    const { last, folder, scalars } = await runHere({ config: textConfig({ iterations: 2, ...change }), root });
    assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
    assert.ok(fs.existsSync(path.join(folder, 'generator', 'dmd.json')));
    assert.ok(scalars.get(2)!['norm/generator']! > 0);
  });
}

test('pairs of a folder are used again, and refused where their prompts are others by now', async () => {
  const config = textConfig({ iterations: 1 });
  const { folder } = await runHere({ config, root });
  const pairs = path.join(folder, 'pairs');
  const again = await runHere({
    config: textConfig({ iterations: 1, regression: { batch: 1, pairs: { path: pairs, count: 3 } } }),
    root,
  });
  assert.ok(again.last.type === 'ended', JSON.stringify(again.last));
  assert.deepEqual(again.scalars.get(1), (await runHere({ config, root })).scalars.get(1));
  fs.appendFileSync(path.join(pairs, 'prompts.txt'), 'one more\n');
  const refused = await runHere({
    config: textConfig({ regression: { pairs: { path: pairs } } }),
    root,
  });
  assert.ok(refused.last.type === 'failed' && /other prompts/.test(refused.last.error.message));
});

test('what does not fit a text-to-image teacher is refused by its key before anything is written', async () => {
  const refusals: [change: Json, message: RegExp][] = [
    [{ text: { prompts: undefined } }, /^text\.prompts: .* needs prompts/],
    [{ generator: { sigma: 3 } }, /^generator\.sigma: /],
    [{ labels: 'none' }, /^labels: /],
    [
      { matching: { levels: { count: 500 }, maxStep: 400 }, record: { probe: { levels: [3] } } },
      /levels\.count: .*1000/,
    ],
    [{ text: { prompts: path.join(root, 'none.txt') } }, /none\.txt/],
    [{ text: { regressionSpace: 'image', decoder: path.join(teacher, 'unet') } }, /^text\.decoder: .*no autoencoder/],
  ];
  for (const [change, message] of refusals) {
    const { last } = await runHere({ config: textConfig(change), root });
    assert.ok(last.type === 'failed', JSON.stringify([change, last]));
    assert.match(last.error.message, message);
  }
});

test('a teacher that predicts v, with trailing timesteps, gives a student that says so', async () => {
  const own = path.join(root, 'v-teacher');
  fs.cpSync(teacher, own, { recursive: true });
  const file = path.join(own, 'scheduler', 'scheduler_config.json');
  const scheduler = JSON.parse(fs.readFileSync(file, 'utf8'));
  const changed = { ...scheduler, prediction_type: 'v_prediction', timestep_spacing: 'trailing' };
  fs.writeFileSync(file, JSON.stringify(changed));
  const { last, folder } = await runHere({ config: textConfig({ teacher: own, iterations: 2 }), root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const info = JSON.parse(fs.readFileSync(path.join(folder, 'generator', 'dmd.json'), 'utf8'));
  assert.deepEqual([info.role, info.timestep, info.prediction], ['generator', 999, 'v_prediction']);
  assert.equal(fs.realpathSync(path.join(folder, 'generator', info.base)), fs.realpathSync(own));
});

test('the editor hears of what does not fit before anything is started, at the key that is to blame', async () => {
  const keys = async (change: Json) => {
    const config = textConfig(change);
    return (await findingsOf(config)).map(({ key, severity }) => [key, severity]);
  };
  assert.deepEqual(await keys({}), []);
  assert.deepEqual(await keys({ text: { prompts: undefined } }), [['text.prompts', 'error']]);
  assert.deepEqual(await keys({ text: { prompts: path.join(root, 'none.txt') } }), [['text.prompts', 'error']]);
  assert.deepEqual(await keys({ generator: { sigma: 2 } }), [['generator.sigma', 'error']]);
  const decoder = { regressionSpace: 'image', decoder: path.join(teacher, 'text_encoder') };
  assert.deepEqual(await keys({ text: decoder }), [['text.decoder', 'error']]);
  const pairs = { pairs: { path: path.join(root, 'nothing') } };
  assert.deepEqual(await keys({ regression: pairs }), [['regression.pairs.path', 'error']]);
});

test('a float16 teacher: the fake score begins as the very same network, so that the first gradient is nothing', async () => {
  const text = { guidance: 1, teacherPrecision: 'float16' };
  const { last, scalars, folder } = await runHere({ config: textConfig({ text, iterations: 2 }), root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  assert.equal(scalars.get(1)!['loss/matching'], 0);
  assert.ok(scalars.get(2)!['loss/matching']! > 0);
  const exact = await runHere({ config: textConfig({ text: { guidance: 1 }, iterations: 2 }), root });
  assert.notDeepEqual(curves(folder), curves(exact.folder));
});
