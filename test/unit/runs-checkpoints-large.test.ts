/** A state of 4.5 GiB, beyond every limit of a Buffer, a hash or a read: saved, restored, damaged, in little memory. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { type Checkpoint, loadLatest, saveCheckpoint } from '../../backend/runs/checkpoints/checkpoints.ts';
import { type ArraySource, sliceSize, sourceOf, storedSlices } from '../../backend/weights/array-source.ts';
import { testSeed } from '../random.ts';

/** Both beyond 2 GiB, together beyond 4.5 GiB; of no round length. */
const shapes = { parameters: [600_000_007], ema: [610_000_003] } as const;
const sizes = Object.values(shapes).map((shape) => 4 * sizeOf(shape));
const bytes = sizes.reduce((sum, size) => sum + size);
assert.ok(bytes > 4.5 * 2 ** 30 && sizes.every((size) => size > 2 ** 31));

const noise = stream(testSeed, 'noise').rand(sliceSize);

/** Numbers made while they are read: the same noise, but every slice says which one it is, at both ends. */
async function* numbers(name: keyof typeof shapes): AsyncGenerator<Float32Array> {
  const [count] = shapes[name];
  for (let at = 0; at < count; at += sliceSize) {
    const slice = noise.subarray(0, Math.min(sliceSize, count - at));
    const last = slice.length - 1;
    const ends = [slice[0]!, slice[last]!];
    [slice[0], slice[last]] = [at / sliceSize, -count - at / sliceSize];
    yield slice;
    [slice[0], slice[last]] = ends as [number, number];
  }
}

const source = (name: keyof typeof shapes): ArraySource => ({ shape: shapes[name], slices: () => numbers(name) });

test('4.5 GiB are saved, restored and found damaged in at most 256 MB of memory', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-large-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const { bavail, bsize } = fs.statfsSync(folder);
  if (bavail * bsize < bytes + 2 ** 30) return t.skip(`${folder} has no room for ${(bytes / 1e9).toFixed(1)} GB`);

  const small = sourceOf({ shape: [3], data: Float32Array.of(1, 2, 3) });
  await saveCheckpoint(folder, 10, { files: new Map([['fake', new Map([['ema', small]])]]), json: 10 });
  const { result: checkpoint, peak } = await watchingMemory(async () => {
    const arrays = new Map(Object.keys(shapes).map((name) => [name, source(name as keyof typeof shapes)]));
    const saved = await saveCheckpoint(folder, 20, { files: new Map([['generator', arrays]]), json: 20 });
    const loaded = await loadLatest(folder);
    assert.deepEqual(loaded.warnings, []);
    assert.equal(loaded.checkpoint?.path, saved);
    await assertRestored(loaded.checkpoint);
    return saved;
  });
  assert.ok(peak < 256e6, `${peak / 1e6} MB more`);

  const file = path.join(checkpoint, 'generator.safetensors');
  const { size } = fs.statSync(file);
  assert.ok(size > bytes);
  const assertPassedOver = async (why: RegExp) => {
    const { checkpoint: before, warnings } = await loadLatest(folder);
    assert.equal(before?.step, 10);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, why);
  };
  flipBit(file, 2 ** 31 + 5);
  await assertPassedOver(/step-00000020 is damaged.*generator\.safetensors.*tensor 'parameters' is another/);
  fs.truncateSync(file, size - 1);
  await assertPassedOver(/it ends within tensor 'ema'/);
});

/** Every number, bit for bit. */
async function assertRestored({ files }: Checkpoint): Promise<void> {
  const stored = files.get('generator')!;
  for (const name of ['parameters', 'ema'] as const) {
    const wanted = numbers(name);
    for await (const slice of storedSlices(stored, name)) {
      const { value } = await wanted.next();
      assert.ok(value && Buffer.compare(asBytes(slice), asBytes(value)) === 0, `${name}, slice ${value?.[0]}`);
    }
    assert.ok((await wanted.next()).done, `${name} ends early`);
  }
}

const asBytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

function flipBit(file: string, position: number): void {
  const handle = fs.openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(handle, byte, 0, 1, position);
  byte[0]! ^= 4;
  fs.writeSync(handle, byte, 0, 1, position);
  fs.closeSync(handle);
}

/** How far the process grew meanwhile, in bytes. */
async function watchingMemory<T>(work: () => Promise<T>): Promise<{ result: T; peak: number }> {
  const before = process.memoryUsage.rss();
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss() - before);
  };
  const timer = setInterval(look, 20);
  try {
    const result = await work();
    look();
    return { result, peak };
  } finally {
    clearInterval(timer);
  }
}
