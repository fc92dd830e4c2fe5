import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type Disk, realDisk } from '../../backend/files/disk.ts';
import { removeLeftovers } from '../../backend/files/folders.ts';
import { type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import {
  type CheckpointContent,
  listCheckpoints,
  loadLatest,
  loadStep,
  pruneCheckpoints,
  removeCheckpointsAfter,
  saveCheckpoint,
} from '../../backend/runs/checkpoints/checkpoints.ts';

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-checkpoints-'));
}

function random(...shape: number[]): TensorData {
  return tensorData(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.random() - 0.5),
  );
}

function content(step: number): CheckpointContent {
  const special = tensorData([4], Float32Array.of(Number.NaN, -0, 1e-45, Number.NEGATIVE_INFINITY));
  return {
    files: {
      generator: new Map([
        ['model.weight', random(3, 5)],
        ['model.bias', random(7)],
      ]),
      fake: new Map([
        ['empty', tensorData([0, 2], new Float32Array())],
        ['special', special],
      ]),
    },
    json: { step, note: 'ä', nested: [1, null] },
  };
}

/** The bits of every tensor, so that NaN and -0 count. */
function bits(files: CheckpointContent['files']): unknown {
  return Object.entries(files)
    .sort()
    .map(([name, tensors]) => [
      name,
      [...tensors]
        .map(([key, { shape, data }]) => [key, shape, Buffer.from(data.slice().buffer).toString('hex')])
        .sort(),
    ]);
}

function assertLatest(folder: string, step: number, expected?: CheckpointContent): void {
  const { checkpoint, warnings } = loadLatest(folder);
  assert.deepEqual(warnings, []);
  assert.equal(checkpoint?.step, step);
  if (expected) {
    assert.deepEqual(bits(checkpoint!.files), bits(expected.files));
    assert.deepEqual(checkpoint!.json, expected.json);
  }
}

test('what was saved comes back to the bit', () => {
  const folder = path.join(scratch(), 'checkpoints');
  assert.deepEqual(loadLatest(folder), { checkpoint: undefined, warnings: [] });
  const saved = content(1000);
  const checkpoint = saveCheckpoint(folder, 1000, saved);
  assert.equal(path.basename(checkpoint), 'step-00001000');
  saveCheckpoint(folder, 20, content(20));
  assertLatest(folder, 1000, saved);
  assert.equal(loadStep(folder, 20).checkpoint?.step, 20);
  assert.equal(loadStep(folder, 30).checkpoint, undefined);
  assert.throws(() => saveCheckpoint(folder, 5, { files: { '../x': new Map() }, json: null }), /cannot name/);
});

/** Damages a copy of a good checkpoint and asserts that it is named and the one before it used. */
function assertDamageFound(folder: string, damage: (checkpoint: string) => void, about: string): void {
  const copy = path.join(scratch(), 'c');
  fs.cpSync(folder, copy, { recursive: true });
  const newest = path.join(copy, 'step-00000020');
  damage(newest);
  const { checkpoint, warnings } = loadLatest(copy);
  assert.equal(checkpoint?.step, 10, about);
  assert.equal(warnings.length, 1, about);
  assert.ok(warnings[0]!.includes(newest), warnings[0]);
  fs.rmSync(path.dirname(copy), { recursive: true });
}

function twoCheckpoints(): string {
  const folder = scratch();
  saveCheckpoint(folder, 10, content(10));
  saveCheckpoint(folder, 20, content(20));
  return folder;
}

const names = ['fake.safetensors', 'generator.safetensors', 'manifest.json', 'state.json'];

/** Where the parts of a safetensors file end: the length, the header, each tensor. */
function boundaries(file: string): number[] {
  const bytes = fs.readFileSync(file);
  if (!file.endsWith('.safetensors')) return [0, 1, bytes.length >> 1, bytes.length - 1];
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, data)) as Record<string, { data_offsets: number[] }>;
  const ends = Object.values(header).map(({ data_offsets: [, end] }) => data + end!);
  return [0, 8, data, ...ends].filter((end) => end < bytes.length);
}

test('a file cut at any boundary, or longer than it was, is damage', () => {
  const folder = twoCheckpoints();
  assert.deepEqual(fs.readdirSync(path.join(folder, 'step-00000020')).sort(), names);
  for (const name of names) {
    const at = boundaries(path.join(folder, 'step-00000020', name));
    assert.ok(at.length >= 4, name);
    for (const length of at) {
      const cut = (checkpoint: string) => fs.truncateSync(path.join(checkpoint, name), length);
      assertDamageFound(folder, cut, `${name} cut at ${length}`);
    }
    const grown = (checkpoint: string) => fs.appendFileSync(path.join(checkpoint, name), '{');
    assertDamageFound(folder, grown, `${name} grown`);
  }
});

test('a flipped bit anywhere is damage', () => {
  const folder = twoCheckpoints();
  for (const name of names) {
    const { size } = fs.statSync(path.join(folder, 'step-00000020', name));
    for (const at of [0, 9, size - 1, ...Array.from({ length: 5 }, () => Math.floor(Math.random() * size))]) {
      const flip = (checkpoint: string) => {
        const bytes = fs.readFileSync(path.join(checkpoint, name));
        bytes[at]! ^= 1 << Math.floor(Math.random() * 8);
        fs.writeFileSync(path.join(checkpoint, name), bytes);
      };
      assertDamageFound(folder, flip, `${name} flipped at ${at}`);
    }
  }
});

test('a missing file or a folder under another name is damage', () => {
  const folder = twoCheckpoints();
  for (const name of names) {
    assertDamageFound(folder, (checkpoint) => fs.rmSync(path.join(checkpoint, name)), `${name} missing`);
  }
  const copied = (checkpoint: string) => {
    fs.rmSync(checkpoint, { recursive: true });
    fs.cpSync(path.join(path.dirname(checkpoint), 'step-00000010'), checkpoint, { recursive: true });
  };
  assertDamageFound(folder, copied, 'step 10 copied to 20');
});

test('when all are damaged, all are named', () => {
  const folder = twoCheckpoints();
  for (const { path: checkpoint } of listCheckpoints(folder)) fs.rmSync(path.join(checkpoint, 'state.json'));
  const { checkpoint, warnings } = loadLatest(folder);
  assert.equal(checkpoint, undefined);
  assert.equal(warnings.length, 2);
});

test('a disk that fails at any operation leaves the checkpoint before and no debris', () => {
  let operations = 0;
  const counting = (failAt: number): Disk => {
    const counted =
      <A extends unknown[], R>(operation: (...args: A) => R) =>
      (...args: A): R => {
        operations += 1;
        if (operations === failAt) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        return operation(...args);
      };
    const { open, write, sync, rename } = realDisk;
    return { ...realDisk, open: counted(open), write: counted(write), sync: counted(sync), rename: counted(rename) };
  };
  const all = scratch();
  saveCheckpoint(all, 20, content(20), counting(-1));
  const total = operations;
  assert.ok(total >= 4 * 3 + 3, `${total} operations`);
  const folder = scratch();
  const first = content(10);
  saveCheckpoint(folder, 10, first);
  // The last two open and sync the folder after the rename: the checkpoint is there by then.
  for (let failAt = 1; failAt <= total - 2; failAt++) {
    operations = 0;
    assert.throws(
      () => saveCheckpoint(folder, 20, content(20), counting(failAt)),
      (error: Error) => {
        assert.equal(error.name, 'UserError', `operation ${failAt}: ${error.stack}`);
        assert.ok(error.message.includes(path.join(folder, 'step-00000020')), error.message);
        return true;
      },
    );
    assert.deepEqual(fs.readdirSync(folder), ['step-00000010']);
  }
  assertLatest(folder, 10, first);
});

test('leftover temporary folders are ignored by readers and cleared', () => {
  const folder = twoCheckpoints();
  const leftover = path.join(folder, '.step-00000030.4711-0123abcd.tmp');
  fs.cpSync(path.join(folder, 'step-00000020'), leftover, { recursive: true });
  assertLatest(folder, 20);
  assert.deepEqual(removeLeftovers(folder), [path.basename(leftover)]);
  assert.equal(fs.existsSync(leftover), false);
});

test('a step saved again replaces the former one, which stays until the new one is whole', () => {
  const folder = twoCheckpoints();
  const again = content(20);
  const target = saveCheckpoint(folder, 20, again);
  assertLatest(folder, 20, again);
  fs.rmSync(path.join(target, 'manifest.json'));
  assert.equal(loadLatest(folder).checkpoint?.path, path.join(folder, 'step-00000020'));
  const third = content(20);
  saveCheckpoint(folder, 20, third);
  pruneCheckpoints(folder, { keep: 2, keepEvery: 0 });
  assertLatest(folder, 20, third);
  assert.equal(listCheckpoints(folder).length, 2);
});

test('retention keeps the newest and the milestones, and counts no damaged ones', () => {
  const folder = scratch();
  for (const step of [100, 150, 200, 250, 300, 350]) saveCheckpoint(folder, step, content(step));
  const steps = () => listCheckpoints(folder).map(({ step }) => step);
  fs.truncateSync(path.join(folder, 'step-00000300', 'generator.safetensors'), 50);
  pruneCheckpoints(folder, { keep: 2, keepEvery: 100 });
  assert.deepEqual(steps(), [350, 300, 250, 200, 100]);
  saveCheckpoint(folder, 400, content(400));
  pruneCheckpoints(folder, { keep: 2, keepEvery: 0 });
  assert.deepEqual(steps(), [400, 350]);
  assert.deepEqual(fs.readdirSync(folder).length, 2);
  removeCheckpointsAfter(folder, 350);
  assert.deepEqual(steps(), [350]);
});

test('kill -9 in a loop of saves leaves a checkpoint that loads', async () => {
  const folder = scratch();
  const module = JSON.stringify(path.resolve('backend/runs/checkpoints/checkpoints.ts'));
  const script = `
    const { saveCheckpoint, pruneCheckpoints } = await import(${module});
    const folder = ${JSON.stringify(folder)};
    for (let step = 1; ; step++) {
      const data = new Float32Array(50_000).fill(step);
      saveCheckpoint(folder, step, { files: { generator: new Map([['w', { shape: [50_000], data }]]) }, json: { step } });
      pruneCheckpoints(folder, { keep: 2, keepEvery: 0 });
      console.log(step);
    }`;
  for (const delay of [0, 9]) {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let announced = 0;
    const enough = new Promise<void>((resolve) => {
      child.stdout.on('data', (data: Buffer) => {
        announced = Number(data.toString().trim().split('\n').at(-1));
        if (announced >= 3) resolve();
      });
    });
    await enough;
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill('SIGKILL');
    await once(child, 'close');
    const { checkpoint, warnings } = loadLatest(folder);
    assert.deepEqual(warnings, []);
    assert.ok(checkpoint!.step >= announced, `${checkpoint!.step} loaded, ${announced} announced`);
    assert.deepEqual(checkpoint!.json, { step: checkpoint!.step });
    assert.deepEqual(new Set(checkpoint!.files.generator!.get('w')!.data), new Set([checkpoint!.step]));
    removeLeftovers(folder);
    assert.ok(fs.readdirSync(folder).every((name) => /^step-\d{8}(-r\d+)?$/.test(name)));
    fs.rmSync(folder, { recursive: true });
  }
});
