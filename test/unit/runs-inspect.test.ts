/** Scores of run folders and of runs under way: what was recorded comes again, the run is none the wiser, what is missing is said. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { classConditions } from '../../backend/models/conditions.ts';
import type { DistillConfig } from '../../backend/protocol/config/index.ts';
import type { Inspection, InspectionQuery } from '../../backend/protocol/inspection.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readFields } from '../../backend/runs/fields/fields.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { captionsOf } from '../../backend/runs/inspect/captions.ts';
import { RunSubject } from '../../backend/runs/inspect/run-subject.ts';
import { distillConfig, runHere, scratch, stateBytes, teachConfig, tinyTeacher } from './training/tiny.ts';

const root = scratch();
const teacher = await tinyTeacher(root);
const record = { probeEvery: 3, samplesEvery: 3, samples: 2, probe: { count: 3, levels: [100, 700] } };
const query = (change: Partial<InspectionQuery> = {}): InspectionQuery => ({
  ...{ sample: { kind: 'probe', index: 2 }, condition: null, level: { by: 'index', value: 700 } },
  ...{ strip: [100, 700], stepSize: 1 },
  ...change,
});
const start = (change = {}) => ({
  config: distillConfig(teacher, { record, checkpoint: { every: 3, keep: 5 }, ...change }),
  root: path.join(root, 'runs'),
});
const of = ({ tensors }: Inspection, name: string) => tensors.find((tensor) => tensor.name === name)!.data;

function near(actual: Float32Array, wanted: Float32Array, what: string): void {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < wanted.length; i++) {
    assert.ok(Math.abs(actual[i]! - wanted[i]!) <= 1e-4 * largest, `${what}: ${actual[i]}, not ${wanted[i]}`);
  }
}

test('a run that is inspected has the bits of one that is not; its checkpoints show the same as it did', async () => {
  const plain = await runHere(start());
  const live: Promise<Inspection>[] = [];
  const inspected = await runHere(start(), {
    onMessage(message, control) {
      if (message.type === 'step' && message.step === 3) live.push(control.ask(runRequests.inspect, query()));
      if (message.type === 'step' && message.step === 4) {
        live.push(control.ask(runRequests.inspect, query({ sample: { kind: 'seed', seed: 3 } })));
      }
    },
  });
  assert.equal(inspected.last.type, 'ended', JSON.stringify(inspected.last));
  assert.deepEqual(inspected.scalars, plain.scalars);
  for (const step of [3, 6]) assert.deepEqual(stateBytes(inspected.folder, step), stateBytes(plain.folder, step));
  const [three, four] = await Promise.all(live);
  assert.deepEqual([three!.step, four!.step], [3, 4]);

  const subject = await RunSubject.open(plain.folder);
  const before = fs.readdirSync(plain.folder, { recursive: true }).sort();
  const described = subject.describe();
  await assert.rejects(subject.decode({ shape: [1, 3, 8, 8], data: new Float32Array(192) }), { kind: 'usage' });
  const { samples, probe, latent, count } = await captionsOf(plain.folder);
  assert.deepEqual([samples, probe, latent, count], [['0', '1'], ['0', '1', '2'], false, 2]);
  assert.deepEqual(described.checkpoints, [6, 3]);
  assert.deepEqual([described.latent, described.samples, described.probe, described.missing], [false, 2, 3, '']);
  assert.equal(described.levels.sigma.length, 1000);
  assert.equal(described.classes.length, classConditions(3).width);
  const again = await subject.inspect(3, query(), {});
  assert.deepEqual(again, three, 'live and from the checkpoint: the same bits');
  for (const step of [3, 6]) {
    const { tensors } = readFields(runPaths(plain.folder).fields, 'probe', step);
    const found = step === 3 ? again : await subject.inspect(step, query(), {});
    const grad = tensors.get('grad')!;
    const size = grad.data.length / 6;
    near(of(found, 'grad'), grad.data.subarray(5 * size), `grad of step ${step}`);
  }
  assert.deepEqual(fs.readdirSync(plain.folder, { recursive: true }).sort(), before, 'nothing is written');
  await subject.dispose();
});

test('a checkpoint that is gone, damaged or was never there is said, with what there is', async () => {
  const { folder } = await runHere(start());
  const subject = await RunSubject.open(folder);
  const refused = (step: number, message: RegExp, hint: RegExp) =>
    assert.rejects(subject.inspect(step, query(), {}), { kind: 'data', message, hint });
  await refused(5, /no checkpoint of step 5/, /There are: 6, 3/);
  const three = path.join(runPaths(folder).checkpoints, 'step-00000003');
  const file = path.join(three, 'fake.safetensors');
  const bytes = fs.readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  fs.writeFileSync(file, bytes);
  await refused(3, /step-00000003 is damaged: fake\.safetensors.*SHA-256/, /another checkpoint/);
  fs.rmSync(runPaths(folder).checkpoints, { recursive: true });
  assert.match(subject.describe().missing, /generator\.safetensors is the generator alone.*fake score/);
  await refused(6, /no checkpoint of step 6/, /fake score is only in checkpoints/);
  await subject.dispose();
});

test('runs without scores are refused: teaching, and distilling without distribution matching', async () => {
  const taught = await runHere({ config: teachConfig({ iterations: 1 }), root });
  await assert.rejects(RunSubject.open(taught.folder), { kind: 'usage', message: /teach run, which has no scores/ });
  const live: Promise<unknown>[] = [];
  const alone = await runHere(start({ iterations: 2, matching: { enabled: false } }), {
    onMessage(message, control) {
      if (message.type !== 'step' || message.step !== 1) return;
      live.push(
        assert.rejects(control.ask(runRequests.inspect, query()), { kind: 'usage', message: /without distribution/ }),
      );
    },
  });
  assert.equal(live.length, 1);
  await Promise.all(live);
  await assert.rejects(RunSubject.open(alone.folder), { kind: 'usage', message: /without distribution matching/ });
});

test('a text model shows decoded latents, colours for them, and what guidance adds', async () => {
  const model = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
  const prompts = path.join(root, 'prompts.txt');
  fs.writeFileSync(prompts, 'a red circle\ntwo blue stars\n');
  const config = distillConfig(model, {
    ...{ iterations: 2, regression: { pairs: { count: 2, steps: 2 }, batch: 1 }, text: { prompts, guidance: 3 } },
    record: { samplesEvery: 2, samples: 2 },
  });
  const { folder, last } = await runHere({ config, root });
  assert.equal(last.type, 'ended', JSON.stringify(last));
  const subject = await RunSubject.open(folder);
  const { latent, prompts: named, guidance, levels } = subject.describe();
  assert.deepEqual([latent, named, guidance, levels.timesteps], [true, ['a red circle', 'two blue stars'], 3, true]);
  const ask = query({ sample: { kind: 'samples', index: 1 }, level: { by: 'timestep', value: 500 }, stepSize: 2 });
  const found = await subject.inspect(2, ask, {});
  assert.deepEqual([found.prompt, found.level.timestep, found.class], ['two blue stars', 500, null]);
  const [real, conditional, fake, grad] = ['muReal', 'muConditional', 'muFake', 'grad'].map((name) => of(found, name));
  const factor = of(found, 'weight')[0]!;
  // Both parts together are the gradient: what matches the distribution, and what guidance adds.
  near(
    grad!.map((_, i) => factor * (fake![i]! - conditional![i]!) + factor * (conditional![i]! - real![i]!)),
    grad!,
    'parts',
  );
  assert.ok(
    conditional!.some((value, i) => Math.abs(value - real![i]!) > 1e-4),
    'guidance adds something',
  );
  const shapes = new Map(found.tensors.map(({ name, shape }) => [name, shape]));
  const [channels, height, width] = shapes.get('x')!;
  assert.deepEqual(shapes.get('projection'), [3, channels! + 1]);
  const [three, rows, columns] = shapes.get('decoded/x')!;
  assert.equal(three, 3);
  assert.ok(rows! >= height! && columns! >= width!);
  assert.notDeepEqual(of(found, 'decoded/stepped'), of(found, 'decoded/x'));
  // The mean colour of the fit is that of the picture: least squares with a constant.
  const [x, projection, picture] = ['x', 'projection', 'decoded/x'].map((name) => of(found, name));
  const cells = height! * width!;
  for (let colour = 0; colour < 3; colour++) {
    const m = projection!.subarray(colour * (channels! + 1), (colour + 1) * (channels! + 1));
    let fitted = m[channels!]!;
    for (let c = 0; c < channels!; c++) {
      fitted += m[c]! * (x!.subarray(c * cells, (c + 1) * cells).reduce((a, b) => a + b) / cells);
    }
    const own = picture!.subarray(colour * rows! * columns!, (colour + 1) * rows! * columns!);
    const mean = own.reduce((a, b) => a + b) / own.length;
    assert.ok(Math.abs(fitted - mean) < 1e-2, `${fitted} is about ${mean}`);
  }
  const other = await subject.inspect(2, { ...ask, condition: { prompt: 'a green square' } }, {});
  assert.equal(other.prompt, 'a green square');
  assert.notDeepEqual(of(other, 'x'), x);
  await assert.rejects(subject.inspect(2, { ...ask, condition: { class: 1 } }, {}), { message: /takes a prompt/ });
  // Latents by themselves, several at once, decode to the same pictures.
  const all = new Float32Array([...x!, ...of(other, 'x')]);
  const decoded = await subject.decode({ shape: [2, ...shapes.get('x')!], data: all });
  assert.deepEqual(decoded.shape, [2, ...shapes.get('decoded/x')!]);
  assert.deepEqual(decoded.data, new Float32Array([...picture!, ...of(other, 'decoded/x')]));
  await assert.rejects(subject.decode({ shape: [1, 1, 1, 1], data: new Float32Array(1) }), { kind: 'usage' });
  const { seed, ...captions } = await captionsOf(folder);
  assert.equal(seed, config.seed);
  const inTurn = ['a red circle', 'two blue stars', 'a red circle', 'two blue stars'];
  const { count } = (config as DistillConfig).record.probe;
  assert.deepEqual(captions, {
    ...{ latent: true, checkpoints: [2], count: 2, samples: inTurn.slice(0, 2) },
    probe: Array.from({ length: count }, (_, i) => inTurn[i % 2]),
  });
  // Prompts that are others now say nothing of what was recorded.
  fs.appendFileSync(prompts, 'three green squares\n');
  assert.deepEqual((await captionsOf(folder)).samples, []);
  await subject.dispose();
});
