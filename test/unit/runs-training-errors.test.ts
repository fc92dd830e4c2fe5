/** Bad input and bad luck: each names file, key or tensor, and nothing already written is lost. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { writePairs } from '../../backend/data/pairs.ts';
import { encodePng } from '../../backend/data/png.ts';
import { type Disk, realDisk } from '../../backend/files/disk.ts';
import type { Config } from '../../backend/protocol/config/index.ts';
import type { ErrorKind } from '../../backend/protocol/errors.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';
import { listCheckpoints, loadLatest } from '../../backend/runs/checkpoints/checkpoints.ts';
import { listFields, readFields } from '../../backend/runs/fields/fields.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { planTeaching } from '../../backend/runs/plan/teach-plan.ts';
import { storedSlices } from '../../backend/weights/array-source.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';
import { uniform } from '../random.ts';
import {
  curves,
  distillConfig,
  labelDim,
  type RunResult,
  runHere,
  scratch,
  teachConfig,
  tinyTeacher,
} from './training/tiny.ts';

function assertFailed({ last }: RunResult, kind: ErrorKind, ...patterns: RegExp[]): void {
  assert.ok(last.type === 'failed', JSON.stringify(last));
  assert.equal(last.error.kind, kind, last.error.stack);
  for (const pattern of patterns) assert.match(`${last.error.message} ${last.error.hint}`, pattern);
}

/** Nothing but what the test put there itself. */
function assertNoRun(root: string): void {
  assert.deepEqual(
    fs.readdirSync(root).filter((name) => !name.startsWith('teacher')),
    [],
  );
}

test('weights that are missing, damaged, of another network or not finite are named, and no run begins', async () => {
  const root = scratch();
  const file = await tinyTeacher(root);
  assertFailed(
    await runHere({ config: distillConfig(path.join(root, 'nowhere.pkl')), root }),
    'weights',
    /nowhere\.pkl: no such file/,
  );
  assertFailed(await runHere({ config: distillConfig('builtin:scnes'), root }), 'weights', /no built-in model 'scnes'/);

  const { tensors, metadata } = await readSafetensors(file);
  const changed = async (change: (copy: typeof tensors) => void, text: Record<string, string> = metadata) => {
    const copy = new Map(tensors);
    change(copy);
    const target = path.join(root, 'teacher-changed.safetensors');
    await writeSafetensors(target, copy, { metadata: text });
    return runHere({ config: distillConfig(target), root });
  };
  const some = [...tensors.keys()][3];
  assertFailed(await changed((copy) => copy.delete(some)), 'weights', /teacher-changed.*1 missing/, new RegExp(some));
  assertFailed(await changed(() => {}, {}), 'weights', /does not say which network/);
  const broken = { ...tensors.get(some)!, data: new Float32Array(tensors.get(some)!.data.length).fill(Number.NaN) };
  const poison = (copy: typeof tensors) => copy.set(some, { ...broken, dtype: 'F32' });
  assertFailed(await changed(poison), 'weights', new RegExp(`${some.replaceAll('.', '\\.')} holds NaN`));

  const cut = path.join(root, 'teacher-cut.safetensors');
  fs.writeFileSync(cut, fs.readFileSync(file).subarray(0, -100));
  assertFailed(await runHere({ config: distillConfig(cut), root }), 'weights', /teacher-cut\.safetensors/);
  assertNoRun(root);
});

test('networks and images that do not go together are refused by key', async () => {
  const root = scratch();
  const teach = (change: Parameters<typeof teachConfig>[0]) => runHere({ config: teachConfig(change), root });
  const odd = { network: { img_resolution: 9, channel_mult: [1, 1] } };
  assert.throws(() => teachConfig(odd), /network\.img_resolution: must be a multiple of 2/);
  assertFailed(
    await teach({ network: { label_dim: 7 } }),
    'config',
    /label_dim is 7, but the scenes data set has 10 classes/,
  );
  assertFailed(await teach({ data: { useLabels: false } }), 'config', /label_dim is 10.*without classes/);
  assertFailed(
    await teach({ network: { img_channels: 1 } }),
    'config',
    /img_channels 1 does not fit.*8 x 8 with 3 channels/,
  );
  assertFailed(await teach({ data: { source: path.join(root, 'no-images.zip') } }), 'data', /no-images\.zip/);
  assertNoRun(root);
});

test('pairs of another shape or class count are refused before the first iteration', async () => {
  const root = scratch();
  const pairs = path.join(root, 'teacher-pairs');
  await somePairs(pairs, { classes: labelDim + 2, value: 0 });
  const config = distillConfig(await tinyTeacher(root), { regression: { pairs: { path: pairs } } });
  assertFailed(await runHere({ config, root }), 'config', /labelDim is 5 in its manifest, 3 now/, /teacher-pairs/);
  assertNoRun(root);
});

async function somePairs(folder: string, { classes, value }: { classes: number; value: number }): Promise<void> {
  const of = (size: number, fill: number, n: number) => new Float32Array(size * n).fill(fill);
  await writePairs(folder, {
    ...{ count: 4, shardSize: 4, seed: 0, shape: [3, 8, 8], labelDim: classes, config: {} },
    make: async ({ length: n }) => ({
      z: { shape: [n, 3, 8, 8], data: of(192, 0.5, n) },
      y: { shape: [n, 3, 8, 8], data: of(192, value, n) },
      labels: { shape: [n, classes], data: of(classes, 0, n) },
    }),
  });
}

test('a device that is not here is refused with the reason', async () => {
  const root = scratch();
  const device = process.platform === 'win32' ? 'coreml' : 'dml';
  const result = await runHere({ config: distillConfig(await tinyTeacher(root), { device }), root });
  assertFailed(result, 'device', new RegExp(`device ${device} is not available`), /dmd devices/);
  assertNoRun(root);
});

test('an unknown key or impossible value of --set is refused; so is what is no assignment', async () => {
  const root = scratch();
  const start = { config: distillConfig(await tinyTeacher(root)), root };
  const set = (...assignments: string[]) => runHere(start, { set: assignments });
  assertFailed(await set('generator.learningRate=1'), 'config', /unknown key "learningRate" in generator/);
  assertFailed(await set('regresion.lambda=1'), 'config', /no 'regresion'/, /regression/);
  assertFailed(await set('batch=many'), 'config', /batch: expected a whole number.*"many"/);
  assertFailed(await set('fast'), 'usage', /'fast' is not KEY=VALUE/);
  assertNoRun(root);
});

test('infinite numbers in a loss: not committed, tensors saved, the last good state kept, and it can go on', async () => {
  const root = scratch();
  const pairs = path.join(root, 'teacher-pairs');
  await somePairs(pairs, { classes: labelDim, value: 3e38 });
  const config = distillConfig(await tinyTeacher(root), {
    regression: { pairs: { path: pairs } },
    schedules: {
      lambda: [
        [1, 0],
        [9, 1],
      ],
    },
    matching: { minStep: 100 },
  });
  const result = await runHere({ config, root });
  assertFailed(result, 'numeric', /loss\/regression.*in step 1; the step was not committed/, /--resume/);
  const run = readRun(result.folder);
  assert.equal(run.state, 'failed');
  assert.match(run.info!.error!.message, /loss\/regression/);
  const [stop] = listFields(run.paths.fields, 'stop');
  assert.equal(stop.step, 1);
  assert.ok(result.last.type === 'failed' && result.last.error.message.includes(stop.path));
  const { tensors, metadata } = readFields(run.paths.fields, 'stop', 1);
  for (const name of ['x', 'xt', 'muReal', 'grad', 'sigma', 'z']) assert.ok(tensors.has(name), name);
  assert.equal(JSON.parse(metadata.scalars)['loss/regression'], 'Infinity');
  assert.deepEqual(
    listCheckpoints(run.paths.checkpoints).map(({ step }) => step),
    [0],
  );

  const on = await runHere({ folder: result.folder }, { set: ['regression.enabled=false', 'iterations=2'] });
  assert.ok(on.last.type === 'ended' && on.last.state === 'finished', JSON.stringify(on.last));
  assert.equal(readRun(result.folder).info!.error, null);
});

test('a learning rate that blows a teacher up stops it with the batch that showed it', async () => {
  const root = scratch();
  const config = teachConfig({ optimizer: { lr: 1e30, warmup: 0 }, checkpoint: { every: 1, keep: 9 } });
  const result = await runHere({ config, root });
  assertFailed(result, 'numeric', /became NaN or infinite in step \d; the step was not committed/, /optimizer\.lr/);
  const { fields, checkpoints } = runPaths(result.folder);
  const [stop] = listFields(fields, 'stop');
  assert.ok(readFields(fields, 'stop', stop.step).tensors.has('images'));
  const { checkpoint } = await loadLatest(checkpoints);
  assert.equal(checkpoint!.step, stop.step - 1);
  const teacher = checkpoint!.files.get('teacher')!;
  for (const name of teacher.names) {
    for await (const slice of storedSlices(teacher, name)) assert.ok(slice.every(Number.isFinite), name);
  }
});

test('a run that goes on after a NaN keeps the evidence: the tensors, and what ended it', async () => {
  const root = scratch();
  const record = { samplesEvery: 1 };
  const config = teachConfig({ record, optimizer: { lr: 1e30, warmup: 0 }, checkpoint: { every: 1, keep: 9 } });
  const first = await runHere({ config, root });
  assertFailed(first, 'numeric', /became NaN or infinite/);
  const { folder } = first;
  const { fields, checkpoints, samples } = runPaths(folder);
  const [stop] = listFields(fields, 'stop');
  const bytes = fs.readFileSync(stop.path);
  const { error, endedAt, step } = readRun(folder).info!;
  assert.equal(path.join(folder, error!.fields!), stop.path);
  assert.equal(step, stop.step - 1);

  // From further back, at another rate: pictures are made again, the evidence is not.
  fs.rmSync(checkpoints, { recursive: true });
  const sample = path.join(samples, 'step-00000001.png');
  fs.writeFileSync(sample, 'of the run that failed');
  const on = await runHere({ folder }, { set: ['optimizer.lr=1e-4', `iterations=${stop.step + 2}`] });
  assert.ok(on.last.type === 'ended' && on.last.state === 'finished', JSON.stringify(on.last));
  assert.ok(on.scalars.has(1) && fs.readFileSync(sample).subarray(1, 4).toString() === 'PNG');
  const info = readRun(folder).info!;
  assert.deepEqual([info.error, info.failures], [null, [{ ...error, step, at: endedAt }]]);
  assert.deepEqual(fs.readFileSync(stop.path), bytes);
  assert.deepEqual(listFields(fields, 'stop'), [stop]);
});

test('a disk that fills up during a checkpoint ends the run; the checkpoint before is sound and it goes on from there', async () => {
  const root = scratch();
  const config = teachConfig({ checkpoint: { every: 2 } });
  let step = 0;
  const full: Disk = {
    ...realDisk,
    writeAside(file, bytes, position) {
      if (step < 4) return realDisk.writeAside(file, bytes, position);
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
  };
  const result = await runHere(
    { config, root },
    {
      disk: full,
      onMessage: (message) => {
        if (message.type === 'step') step = message.step;
      },
    },
  );
  assertFailed(result, 'io', /step-00000004.*the disk is full/, /resume/);
  const { checkpoints } = runPaths(result.folder);
  assert.deepEqual(fs.readdirSync(checkpoints), ['step-00000002'], 'no debris');
  assert.equal(readRun(result.folder).state, 'failed');

  const whole = await runHere({ config, root });
  const on = await runHere({ folder: result.folder });
  assert.ok(on.last.type === 'ended' && on.last.state === 'finished', JSON.stringify(on.last));
  assert.deepEqual(curves(result.folder), curves(whole.folder));
});

/** Eight images of noise. */
async function imagesIn(folder: string): Promise<string[]> {
  fs.mkdirSync(folder);
  return Array.from({ length: 8 }, (_, n) => {
    const file = path.join(folder, `${n}.png`);
    const image = { shape: [3, 8, 8], data: Float32Array.from({ length: 192 }, () => 2 * uniform() - 1) };
    fs.writeFileSync(file, encodePng(image));
    return file;
  });
}

const onImages = (source: string) =>
  teachConfig({ network: { label_dim: 0 }, data: { source, useLabels: false }, iterations: 40, batch: 1 });

test('an image that turns out damaged late costs no step: the last good one is saved, and the run goes on from there', async () => {
  const root = scratch();
  const images = await imagesIn(path.join(root, 'images'));
  const config = onImages(path.join(root, 'images'));
  const whole = await runHere({ config, root });
  const sound = images.map((file) => fs.readFileSync(file));
  let broken = 0;
  const result = await runHere(
    { config, root },
    {
      onMessage(message) {
        if (message.type !== 'step' || message.step !== 3) return;
        broken = message.step;
        for (const [n, file] of images.entries()) fs.writeFileSync(file, sound[n].subarray(0, -20));
      },
    },
  );
  assert.equal(broken, 3);
  assertFailed(result, 'data', /cannot read \d\.png/, /dmd teach --resume/);
  const { checkpoints } = runPaths(result.folder);
  assert.equal((await loadLatest(checkpoints)).checkpoint!.step, 3);
  assert.equal(readRun(result.folder).info!.step, 3);

  for (const [n, file] of images.entries()) fs.writeFileSync(file, sound[n]);
  const on = await runHere({ folder: result.folder });
  assert.ok(on.last.type === 'ended' && on.last.state === 'finished', JSON.stringify(on.last));
  assert.deepEqual(curves(result.folder), curves(whole.folder));
});

test('an image of another size is refused before the run begins, and by its plan', async () => {
  const root = scratch();
  const images = await imagesIn(path.join(root, 'teacher-images'));
  const config = onImages(path.join(root, 'teacher-images'));
  assert.ok(config.kind === 'teach');
  const plan = await planTeaching(config);
  assert.ok(plan.secondsPerUpdate > 0 && plan.seconds >= 40 * plan.secondsPerUpdate, JSON.stringify(plan));
  assert.equal(plan.imagesPerUpdate, 1);
  const odd = { shape: [3, 9, 8], data: new Float32Array(216) };
  fs.writeFileSync(images.at(-1)!, encodePng(odd));
  assertFailed(await runHere({ config, root }), 'data', /7\.png is 8 x 9, RGB, the others 8 x 8/);
  await assert.rejects(planTeaching(config), { kind: 'data', message: /7\.png is 8 x 9/ });
  assertNoRun(root);
});

test('a folder that is deleted under its run is told as that, whatever the run came upon first', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const cases: [config: Config, when: (message: RunMessage) => boolean][] = [
    // While its pairs are made, when nothing asks for the lock.
    [distillConfig(teacher, { iterations: 1000 }), (message) => message.type === 'work'],
    [distillConfig(teacher, { iterations: 1000 }), isStep],
    [distillConfig(teacher, { iterations: 1000, record: { probeEvery: 1, samplesEvery: 1 } }), isStep],
    [teachConfig({ iterations: 1000, checkpoint: { every: 1 } }), isStep],
  ];
  for (const [config, when] of cases) {
    let deleted = false;
    const result = await runHere(
      { config, root },
      {
        onMessage(message) {
          if (deleted || !when(message)) return;
          deleted = true;
          fs.rmSync(runIn(root), { recursive: true });
        },
      },
    );
    assertFailed(result, 'io', /was deleted, moved or replaced/, new RegExp(path.basename(result.folder)));
    assert.ok(!fs.existsSync(result.folder), 'it is not made again');
  }
});

const isStep = (message: RunMessage) => message.type === 'step' && message.step === 2;
const runIn = (root: string) => path.join(root, fs.readdirSync(root).find((name) => name.endsWith('-tiny'))!);

test('a second process in the same folder is turned away, and the first is not disturbed', async () => {
  const root = scratch();
  let second: Promise<RunResult> | undefined;
  const first = await runHere(
    { config: teachConfig({ iterations: 3 }), root },
    {
      onMessage(message, control) {
        if (message.type !== 'opened') return;
        control.pause();
        second = runHere({ folder: message.folder }).finally(() => control.resume());
      },
    },
  );
  assertFailed(await second!, 'locked', new RegExp(`in use by process ${process.pid}`));
  assert.ok(first.last.type === 'ended' && first.last.state === 'finished', JSON.stringify(first.last));
  assert.equal(readRun(first.folder).state, 'finished');
});

test('a run that a later version wrote on is refused and left as it is, to the byte', async () => {
  const root = scratch();
  const { folder } = await runHere({ config: teachConfig({ checkpoint: { every: 2 } }), root }, { until: 4 });
  const { info, checkpoints } = runPaths(folder);
  fs.writeFileSync(path.join(checkpoints, '.step-00000006.4711-0123abcd.tmp'), 'left by a killed process');
  const everything = () =>
    fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [file, fs.readFileSync(file).toString('hex'), fs.statSync(file).mtimeMs]);
  const refused = async (...patterns: RegExp[]) => {
    const before = everything();
    assertFailed(await runHere({ folder }), 'data', /a later version wrote it/, ...patterns);
    assert.deepEqual(everything(), before);
  };
  const text = fs.readFileSync(info, 'utf8');
  fs.writeFileSync(info, text.replace('"format": 1', '"format": 2').replace('"state": "stopped"', '"state": "new"'));
  await refused(/run\.json has format 2, and this version of DMD Workbench reads format 1/);
  fs.writeFileSync(info, text);

  const manifest = path.join(checkpoints, 'step-00000002', 'manifest.json');
  const { sha256: _, ...now } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as Record<string, unknown>;
  const later = { ...now, format: 7 };
  const sha256 = createHash('sha256').update(JSON.stringify(later)).digest('hex');
  fs.writeFileSync(manifest, `${JSON.stringify({ ...later, sha256 }, null, 2)}\n`);
  await refused(/step-00000002.manifest\.json has format 7/);
});

test('a folder that is no run cannot be resumed', async () => {
  const root = scratch();
  assertFailed(await runHere({ folder: root }), 'data', /is not a run folder/);
});

test('float16 is refused in words where the device does not compute in it, and no iteration is run', async () => {
  const root = scratch();
  const config = distillConfig(await tinyTeacher(root), { precision: 'float16' });
  assertFailed(
    await runHere({ config, root }),
    'device',
    /cpu.* does not compute in float16, as precision asks/,
    /Set precision to "float32"/,
  );
});
