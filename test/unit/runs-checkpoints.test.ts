import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type Disk, realDisk } from '../../backend/files/disk.ts';
import { removeLeftovers } from '../../backend/files/folders.ts';
import { type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import type { Manifest } from '../../backend/runs/checkpoints/checkpoint-manifest.ts';
import {
  type Checkpoint,
  type CheckpointContent,
  listCheckpoints,
  loadLatest,
  loadStep,
  pruneCheckpoints,
  refuseLaterCheckpoints,
  removeCheckpointsAfter,
  saveCheckpoint,
} from '../../backend/runs/checkpoints/checkpoints.ts';
import {
  type ArraySource,
  collect,
  type StoredArrays,
  sourceOf,
  storedSlices,
} from '../../backend/weights/array-source.ts';
import { encodeSafetensors } from '../../backend/weights/safetensors.ts';
import { sourceLoader } from '../loader.ts';
import { randomBelow, uniform } from '../random.ts';

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-checkpoints-'));
}

function random(...shape: number[]): TensorData {
  return tensorData(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => uniform() - 0.5),
  );
}

/** Numbers that come in slices of these lengths, each gone when the next one is asked for. */
function inSlices({ shape, data }: TensorData, lengths: readonly number[]): ArraySource {
  async function* slices() {
    let at = 0;
    for (const length of lengths) {
      const slice = data.slice(at, at + length);
      at += length;
      yield slice;
      slice.fill(Number.NaN);
    }
  }
  return { shape, slices };
}

function content(step: number): CheckpointContent {
  const special = tensorData([4], Float32Array.of(Number.NaN, -0, 1e-45, Number.NEGATIVE_INFINITY));
  return {
    files: new Map([
      [
        'generator',
        new Map([
          ['model.weight', inSlices(random(3, 5), [4, 0, 9, 2])],
          ['model.bias', sourceOf(random(7))],
        ]),
      ],
      [
        'fake',
        new Map([
          ['empty', sourceOf(tensorData([0, 2], new Float32Array()))],
          ['special', sourceOf(special)],
        ]),
      ],
    ]),
    json: { step, note: 'ä', nested: [1, null] },
  };
}

/** The bits of every tensor, so that NaN and -0 count. */
async function bits(files: CheckpointContent['files']): Promise<unknown> {
  const rows: string[] = [];
  for (const [file, tensors] of files) {
    for (const [name, source] of tensors) {
      const { data } = await collect(source);
      rows.push(`${file} ${name} [${source.shape}] ${Buffer.from(data.slice().buffer).toString('hex')}`);
    }
  }
  return rows.sort();
}

/** The stored tensors as sources. */
function sourcesOf({ files }: Checkpoint): CheckpointContent['files'] {
  const source = (stored: StoredArrays, name: string) => ({
    shape: stored.shape(name)!,
    slices: () => storedSlices(stored, name),
  });
  return new Map(
    Array.from(files, ([file, stored]) => [file, new Map(stored.names.map((name) => [name, source(stored, name)]))]),
  );
}

async function assertLatest(folder: string, step: number, expected?: CheckpointContent): Promise<void> {
  const { checkpoint, warnings } = await loadLatest(folder);
  assert.deepEqual(warnings, []);
  assert.equal(checkpoint?.step, step);
  if (expected) {
    assert.deepEqual(await bits(sourcesOf(checkpoint!)), await bits(expected.files));
    assert.deepEqual(checkpoint!.json, expected.json);
  }
}

test('what was saved comes back to the bit', async () => {
  const folder = path.join(scratch(), 'checkpoints');
  assert.deepEqual(await loadLatest(folder), { checkpoint: undefined, warnings: [] });
  const saved = content(1000);
  const checkpoint = await saveCheckpoint(folder, 1000, saved);
  assert.equal(path.basename(checkpoint), 'step-00001000');
  await saveCheckpoint(folder, 20, content(20));
  await assertLatest(folder, 1000, saved);
  assert.equal((await loadStep(folder, 20)).checkpoint?.step, 20);
  assert.equal((await loadStep(folder, 30)).checkpoint, undefined);
  await assert.rejects(saveCheckpoint(folder, 5, { files: new Map([['../x', new Map()]]), json: null }), /cannot name/);
});

/** Damages a copy of a good checkpoint and asserts that it is named and the one before it used. */
async function assertDamageFound(folder: string, damage: (checkpoint: string) => void, about: string): Promise<void> {
  const copy = path.join(scratch(), 'c');
  fs.cpSync(folder, copy, { recursive: true });
  const newest = path.join(copy, 'step-00000020');
  damage(newest);
  const { checkpoint, warnings } = await loadLatest(copy);
  assert.equal(checkpoint?.step, 10, about);
  assert.equal(warnings.length, 1, about);
  assert.ok(warnings[0]!.includes(newest), warnings[0]);
  fs.rmSync(path.dirname(copy), { recursive: true });
}

async function twoCheckpoints(): Promise<string> {
  const folder = scratch();
  await saveCheckpoint(folder, 10, content(10));
  await saveCheckpoint(folder, 20, content(20));
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

test('a file cut at any boundary, or longer than it was, is damage', async () => {
  const folder = await twoCheckpoints();
  assert.deepEqual(fs.readdirSync(path.join(folder, 'step-00000020')).sort(), names);
  for (const name of names) {
    const at = boundaries(path.join(folder, 'step-00000020', name));
    assert.ok(at.length >= 4, name);
    for (const length of at) {
      const cut = (checkpoint: string) => fs.truncateSync(path.join(checkpoint, name), length);
      await assertDamageFound(folder, cut, `${name} cut at ${length}`);
    }
    const grown = (checkpoint: string) => fs.appendFileSync(path.join(checkpoint, name), '{');
    await assertDamageFound(folder, grown, `${name} grown`);
  }
});

test('a flipped bit anywhere is damage', async () => {
  const folder = await twoCheckpoints();
  for (const name of names) {
    const { size } = fs.statSync(path.join(folder, 'step-00000020', name));
    for (const at of [0, 9, size - 1, ...Array.from({ length: 5 }, () => randomBelow(size))]) {
      const flip = (checkpoint: string) => {
        const bytes = fs.readFileSync(path.join(checkpoint, name));
        bytes[at]! ^= 1 << randomBelow(8);
        fs.writeFileSync(path.join(checkpoint, name), bytes);
      };
      await assertDamageFound(folder, flip, `${name} flipped at ${at}`);
    }
  }
});

test('a missing file or a folder under another name is damage', async () => {
  const folder = await twoCheckpoints();
  for (const name of names) {
    await assertDamageFound(folder, (checkpoint) => fs.rmSync(path.join(checkpoint, name)), `${name} missing`);
  }
  const copied = (checkpoint: string) => {
    fs.rmSync(checkpoint, { recursive: true });
    fs.cpSync(path.join(path.dirname(checkpoint), 'step-00000010'), checkpoint, { recursive: true });
  };
  await assertDamageFound(folder, copied, 'step 10 copied to 20');
});

test('when all are damaged, all are named', async () => {
  const folder = await twoCheckpoints();
  for (const { path: checkpoint } of listCheckpoints(folder)) fs.rmSync(path.join(checkpoint, 'state.json'));
  const { checkpoint, warnings } = await loadLatest(folder);
  assert.equal(checkpoint, undefined);
  assert.equal(warnings.length, 2);
});

test('a disk that fails at any operation leaves the checkpoint before and no debris', async () => {
  let operations = 0;
  const counting = (failAt: number): Disk => {
    const counted =
      <A extends unknown[], R>(operation: (...args: A) => R) =>
      (...args: A): R => {
        operations += 1;
        if (operations === failAt) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        return operation(...args);
      };
    const { open, write, writeAside, sync, syncAside, rename } = realDisk;
    return {
      ...{ ...realDisk, open: counted(open), rename: counted(rename) },
      ...{ write: counted(write), writeAside: counted(writeAside) },
      ...{ sync: counted(sync), syncAside: counted(syncAside) },
    };
  };
  const all = scratch();
  await saveCheckpoint(all, 20, content(20), counting(-1));
  const total = operations;
  assert.ok(total >= 4 * 3 + 5 + 3, `${total} operations`);
  const folder = scratch();
  const first = content(10);
  await saveCheckpoint(folder, 10, first);
  // The last two open and sync the folder after the rename: the checkpoint is there by then.
  for (let failAt = 1; failAt <= total - 2; failAt++) {
    operations = 0;
    await assert.rejects(saveCheckpoint(folder, 20, content(20), counting(failAt)), (error: Error) => {
      assert.equal(error.name, 'UserError', `operation ${failAt}: ${error.stack}`);
      assert.ok(error.message.includes(path.join(folder, 'step-00000020')), error.message);
      return true;
    });
    assert.deepEqual(fs.readdirSync(folder), ['step-00000010']);
  }
  await assertLatest(folder, 10, first);
});

test('a disk that is full in the middle of a tensor, or a source that fails there, leaves the checkpoint before', async () => {
  const folder = scratch();
  const first = content(10);
  await saveCheckpoint(folder, 10, first);
  const numbers = random(6, 1000);
  const save = (source: ArraySource, disk?: Disk) =>
    saveCheckpoint(folder, 20, { files: new Map([['fake', new Map([['ema', source]])]]), json: null }, disk);
  for (const room of [100, 5_000, 20_000]) {
    let left = room;
    const full: Disk = {
      ...realDisk,
      async writeAside(file, bytes, position) {
        if (left === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        const part = bytes.subarray(0, Math.min(left, 777));
        left -= part.length;
        return realDisk.writeAside(file, part, position);
      },
    };
    const named = /cannot write .*step-00000020.fake\.safetensors: the disk is full/;
    await assert.rejects(save(inSlices(numbers, [1000, 4000, 1000]), full), named);
    assert.deepEqual(fs.readdirSync(folder), ['step-00000010']);
  }
  const lost = async function* () {
    yield numbers.data.subarray(0, 1000);
    throw new Error('the device is lost');
  };
  await assert.rejects(save({ shape: [6000], slices: lost }), /the device is lost/);
  await assert.rejects(save(inSlices(numbers, [1000, 4999])), /ema \[6, 1000\] holds 5999 numbers/);
  const more = { ...random(6001), shape: [6, 1000] };
  await assert.rejects(save(inSlices(more, [5000, 1000, 1])), /ema \[6, 1000\] holds 6001 numbers/);
  assert.deepEqual(fs.readdirSync(folder), ['step-00000010']);
  await assertLatest(folder, 10, first);
});

/** A checkpoint of three tensors [5], damaged, and what is said of it. */
async function saidOf(damage: (file: string, start: number) => void, manifest?: (text: string) => string) {
  const folder = scratch();
  const arrays = ['parameters', 'firstMoment', 'ema'].map((name) => [name, sourceOf(random(5))] as const);
  const checkpoint = await saveCheckpoint(folder, 7, { files: new Map([['fake', new Map(arrays)]]), json: null });
  const file = path.join(checkpoint, 'fake.safetensors');
  damage(file, fs.statSync(file).size - 3 * 20);
  const manifestFile = path.join(checkpoint, 'manifest.json');
  if (manifest) fs.writeFileSync(manifestFile, manifest(fs.readFileSync(manifestFile, 'utf8')));
  const { checkpoint: found, warnings } = await loadLatest(folder);
  assert.equal(found, undefined);
  return warnings[0]!;
}

/** A manifest with another content and the right hash of it. */
function resealed(text: string, change: (manifest: Manifest) => object): string {
  const { sha256: _, ...manifest } = JSON.parse(text) as Manifest & { sha256: string };
  const changed = change(manifest);
  const sha256 = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  return `${JSON.stringify({ ...changed, sha256 }, null, 2)}\n`;
}

/** As it was before it said how far each tensor goes. */
function withoutParts(text: string): string {
  return resealed(text, (manifest) => {
    const files = Object.entries(manifest.files).map(([name, { bytes, sha256 }]) => [name, { bytes, sha256 }]);
    return { ...manifest, files: Object.fromEntries(files) };
  });
}

test('what is damaged is named by file and tensor', async () => {
  const edit = (change: (bytes: Buffer, start: number) => void) => (file: string, start: number) => {
    const bytes = fs.readFileSync(file);
    change(bytes, start);
    fs.writeFileSync(file, bytes);
  };
  const swapped = edit((bytes, start) => {
    const first = Buffer.from(bytes.subarray(start + 20, start + 40));
    bytes.copyWithin(start + 20, start + 40, start + 60);
    first.copy(bytes, start + 40);
  });
  const another = /fake\.safetensors does not hold what was saved: /;
  assert.match(await saidOf(swapped), new RegExp(`${another.source}the SHA-256 of tensor 'firstMoment' is another`));
  assert.match(await saidOf(edit((bytes, start) => bytes.fill(1, start + 59))), /tensor 'ema' is another/);
  assert.match(await saidOf(edit((bytes, start) => bytes.fill(1, start, start + 1))), /tensor 'parameters' is another/);
  assert.match(await saidOf(edit((bytes) => bytes.fill(32, 10, 11))), /the SHA-256 of its header is another/);
  const cut = (by: number) => saidOf((file, start) => fs.truncateSync(file, start + by));
  assert.match(await cut(39), /fake\.safetensors has \d+ bytes instead of \d+: it ends within tensor 'firstMoment'/);
  assert.match(await cut(40), /it ends within tensor 'ema'/);
  assert.match(await cut(-1), /it ends within its header/);
  assert.match(await saidOf(swapped, withoutParts), new RegExp(`${another.source}its SHA-256 is another`));
});

test('the format of before: the same bytes of tensors, and a manifest that does not know its tensors', async () => {
  const folder = scratch();
  const saved = content(3);
  const checkpoint = await saveCheckpoint(folder, 3, saved);
  const manifest = path.join(checkpoint, 'manifest.json');
  fs.writeFileSync(manifest, withoutParts(fs.readFileSync(manifest, 'utf8')));
  await assertLatest(folder, 3, saved);
  for (const [file, sources] of saved.files) {
    const tensors = new Map<string, TensorData>();
    for (const [name, source] of sources) tensors.set(name, await collect(source));
    const bytes = fs.readFileSync(path.join(checkpoint, `${file}.safetensors`));
    assert.deepEqual(bytes, Buffer.from(encodeSafetensors(tensors)));
  }
});

test('a checkpoint of a later format is refused, and nothing is deleted', async () => {
  const folder = await twoCheckpoints();
  const manifest = path.join(folder, 'step-00000010', 'manifest.json');
  refuseLaterCheckpoints(folder);
  fs.writeFileSync(
    manifest,
    resealed(fs.readFileSync(manifest, 'utf8'), (now) => ({ ...now, format: 2 })),
  );
  const later = /step-00000010.manifest\.json has format 2, and this version of DMD Workbench reads format 1/;
  assert.throws(() => refuseLaterCheckpoints(folder), later);
  await assert.rejects(loadStep(folder, 10), later);
  assert.throws(() => pruneCheckpoints(folder, { keep: 1, keepEvery: 0 }), later);
  assert.deepEqual(fs.readdirSync(folder), ['step-00000010', 'step-00000020']);
});

test('a manifest with a right hash that says what no checkpoint has is damage', async () => {
  const wrong: Record<string, object> = {
    'no files': { files: undefined },
    'a file elsewhere': { files: { '../../secret': { bytes: 1, sha256: '0'.repeat(64) } } },
    'a file without a size': { files: { 'state.json': { bytes: -1, sha256: '0'.repeat(64) } } },
    'a step that is none': { step: 1.5 },
  };
  for (const [what, change] of Object.entries(wrong)) {
    const folder = await twoCheckpoints();
    const manifest = path.join(folder, 'step-00000020', 'manifest.json');
    fs.writeFileSync(
      manifest,
      resealed(fs.readFileSync(manifest, 'utf8'), (now) => ({ ...now, ...change })),
    );
    const { checkpoint, warnings } = await loadLatest(folder);
    assert.equal(checkpoint?.step, 10, what);
    assert.match(
      warnings.join(),
      /step-00000020 is damaged and passed over: manifest\.json cannot be read: (files|step)/,
    );
  }
});

test('leftover temporary folders are ignored by readers and cleared', async () => {
  const folder = await twoCheckpoints();
  const leftover = path.join(folder, '.step-00000030.4711-0123abcd.tmp');
  fs.cpSync(path.join(folder, 'step-00000020'), leftover, { recursive: true });
  await assertLatest(folder, 20);
  assert.deepEqual(removeLeftovers(folder), [path.basename(leftover)]);
  assert.equal(fs.existsSync(leftover), false);
});

test('a step saved again replaces the former one, which stays until the new one is whole', async () => {
  const folder = await twoCheckpoints();
  const again = content(20);
  const target = await saveCheckpoint(folder, 20, again);
  await assertLatest(folder, 20, again);
  fs.rmSync(path.join(target, 'manifest.json'));
  assert.equal((await loadLatest(folder)).checkpoint?.path, path.join(folder, 'step-00000020'));
  const third = content(20);
  await saveCheckpoint(folder, 20, third);
  pruneCheckpoints(folder, { keep: 2, keepEvery: 0 });
  await assertLatest(folder, 20, third);
  assert.equal(listCheckpoints(folder).length, 2);
});

test('retention keeps the newest and the milestones, and counts no damaged ones', async () => {
  const folder = scratch();
  for (const step of [100, 150, 200, 250, 300, 350]) await saveCheckpoint(folder, step, content(step));
  const steps = () => listCheckpoints(folder).map(({ step }) => step);
  fs.truncateSync(path.join(folder, 'step-00000300', 'generator.safetensors'), 50);
  pruneCheckpoints(folder, { keep: 2, keepEvery: 100 });
  assert.deepEqual(steps(), [350, 300, 250, 200, 100]);
  await saveCheckpoint(folder, 400, content(400));
  pruneCheckpoints(folder, { keep: 2, keepEvery: 0 });
  assert.deepEqual(steps(), [400, 350]);
  assert.deepEqual(fs.readdirSync(folder).length, 2);
  removeCheckpointsAfter(folder, 350);
  assert.deepEqual(steps(), [350]);
});

test('kill -9 in a loop of saves leaves a checkpoint that loads', async () => {
  const folder = scratch();
  const [module, sources] = ['runs/checkpoints/checkpoints.ts', 'weights/array-source.ts'].map((file) =>
    JSON.stringify(path.resolve('backend', file)),
  );
  const script = `
    const { saveCheckpoint, pruneCheckpoints } = await import(${module});
    const { sourceOf } = await import(${sources});
    const folder = ${JSON.stringify(folder)};
    for (let step = 1; ; step++) {
      const data = new Float32Array(50_000).fill(step);
      await saveCheckpoint(folder, step, { files: new Map([['generator', new Map([['w', sourceOf({ shape: [50_000], data })]])]]), json: { step } });
      pruneCheckpoints(folder, { keep: 2, keepEvery: 0 });
      console.log(step);
    }`;
  for (const delay of [0, 9]) {
    const child = spawn(process.execPath, ['--import', sourceLoader, '--input-type=module', '--eval', script], {
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
    const { checkpoint, warnings } = await loadLatest(folder);
    assert.deepEqual(warnings, []);
    assert.ok(checkpoint!.step >= announced, `${checkpoint!.step} loaded, ${announced} announced`);
    assert.deepEqual(checkpoint!.json, { step: checkpoint!.step });
    assert.deepEqual(
      new Set(await checkpoint!.files.get('generator')!.read('w', 0, 50_000)),
      new Set([checkpoint!.step]),
    );
    removeLeftovers(folder);
    assert.ok(fs.readdirSync(folder).every((name) => /^step-\d{8}(-r\d+)?$/.test(name)));
    fs.rmSync(folder, { recursive: true });
  }
});
