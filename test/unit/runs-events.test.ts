import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { encodePng } from '../../backend/data/png.ts';
import { realDisk } from '../../backend/files/disk.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { histogramOf } from '../../backend/runs/events/histogram.ts';
import { readHistory } from '../../backend/runs/events/history.ts';
import { openEventFile, openEventFolder } from '../../backend/runs/events/reader.ts';
import { decodeRecord, encodeRecord } from '../../backend/runs/events/record.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { randomBelow, uniform } from '../random.ts';

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-events-'));
}

function png(): Uint8Array {
  const pixels = Float32Array.from({ length: 3 * 2 * 5 }, () => uniform() * 2 - 1);
  return encodePng(tensorData([3, 2, 5], pixels));
}

/** [step, value] of a scalar, as the folder's history shows it. */
function curve(folder: string, tag: string): [number, number][] {
  const points = readHistory(folder).history.points('scalar', tag);
  return points.map(({ step, value }) => [step, value.value]);
}

test('a record is framed with the masked CRC-32C of TFRecord', () => {
  // CRC-32C of eight zero bytes is 0x8c28b28a (an empty record's length field): rotated right by 15, plus 0xa282ead8.
  const record = Buffer.from(encodeRecord(new Uint8Array()));
  assert.equal(record.length, 16);
  assert.equal(record.readUInt32LE(8), ((((0x8c28b28a >>> 15) | (0x8c28b28a << 17)) >>> 0) + 0xa282ead8) % 2 ** 32);
  // The CRC of nothing is 0: only the mask's offset is left.
  assert.equal(record.readUInt32LE(12), 0xa282ead8);
});

test('every byte of a record is covered by a CRC', () => {
  const payload = Uint8Array.from({ length: 37 }, () => randomBelow(256));
  const record = encodeRecord(payload);
  assert.deepEqual(decodeRecord(record, 0), { status: 'ok', payload: Buffer.from(payload), next: record.length });
  for (let i = 0; i < record.length; i++) {
    const damaged = new Uint8Array(record);
    damaged[i]! ^= 1 << (i % 8);
    assert.equal(decodeRecord(damaged, 0).status, 'damaged', `byte ${i}`);
    assert.equal(decodeRecord(record.subarray(0, i), 0).status, 'incomplete', `cut at ${i}`);
  }
});

test('all kinds of values come back as they were written', () => {
  const folder = scratch();
  const picture = png();
  const writer = openEventWriter(folder, { now: () => 1_700_000_000_500 });
  const values = Float32Array.from([-3.5, 0, 1e-3, 2, 2, Number.NaN, 1e30]);
  writer.add(7, {
    scalars: { 'loss/dm': 0.25, 'loss/fake': Number.NaN },
    images: { samples: picture },
    histograms: { grad: values },
    texts: { config: '# größe' },
  });
  writer.add(3_000_000_000, { scalars: { 'loss/dm': -1.5 } });
  writer.close();

  const [version, event, late] = openEventFile(writer.file).read();
  assert.equal(version?.fileVersion, 'brain.Event:2');
  assert.equal(event?.step, 7);
  assert.equal(event?.wallTime, 1_700_000_000.5);
  assert.equal(late?.step, 3_000_000_000);
  const [dm, fake, image, grad, text] = event?.values ?? [];
  assert.deepEqual(dm, { kind: 'scalar', tag: 'loss/dm', value: 0.25 });
  assert.deepEqual(fake, { kind: 'scalar', tag: 'loss/fake', value: Number.NaN });
  assert.ok(image?.kind === 'image');
  assert.deepEqual([image.width, image.height], [5, 2]);
  assert.deepEqual(Buffer.from(image.png), Buffer.from(picture));
  assert.deepEqual(grad, { kind: 'histogram', tag: 'grad', histogram: histogramOf(values) });
  assert.deepEqual(text, { kind: 'text', tag: 'config', text: '# größe' });
});

test('histogram buckets: each holds the values from the limit before it up to its own', () => {
  const values = Float64Array.from({ length: 500 }, () => (uniform() - 0.3) * 10 ** (uniform() * 20 - 10));
  const { bucketLimit, bucket, num, min, max, sum, sumSquares } = histogramOf(values);
  assert.equal(num, 500);
  assert.equal(min, Math.min(...values));
  assert.equal(max, Math.max(...values));
  assert.ok(Math.abs(sum - values.reduce((a, b) => a + b)) < 1e-6 * Math.abs(sum));
  assert.ok(Math.abs(sumSquares - values.reduce((a, b) => a + b * b, 0)) < 1e-6 * sumSquares);
  assert.ok(bucketLimit.every((limit, i) => i === 0 || limit > bucketLimit[i - 1]!));
  bucket.forEach((count, i) => {
    const from = bucketLimit[i - 1] ?? Number.NEGATIVE_INFINITY;
    assert.equal(count, values.filter((value) => value >= from && value < bucketLimit[i]!).length);
  });
  // Collapsed: never two empty buckets in a row; a non-empty one is at most 10 % wide.
  bucket.forEach((count, i) => {
    if (i > 0) assert.ok(count > 0 || bucket[i - 1]! > 0);
    if (i > 0 && count > 0 && bucketLimit[i - 1]! > 0) assert.ok(bucketLimit[i]! / bucketLimit[i - 1]! < 1.1001);
  });
  assert.deepEqual(histogramOf([]).bucket, [0]);
  assert.deepEqual(histogramOf([Number.NaN, Number.POSITIVE_INFINITY]).num, 0);
});

test('a reader follows a growing file and waits for the end of a record', () => {
  const folder = scratch();
  const writer = openEventWriter(folder);
  const reader = openEventFolder(folder);
  assert.equal(reader.read().length, 1);
  writer.add(1, { scalars: { a: 1 } });
  writer.close();
  const whole = fs.readFileSync(writer.file);
  const before = whole.length - 20;
  fs.truncateSync(writer.file, before);
  assert.deepEqual(reader.read(), []);
  fs.appendFileSync(writer.file, whole.subarray(before));
  assert.deepEqual(
    reader.read().map((event) => event.step),
    [1],
  );
  assert.deepEqual(reader.read(), []);
  assert.deepEqual(reader.warnings(), []);
});

test('a file larger than what is read at a time, with a record larger than that', () => {
  const folder = scratch();
  const writer = openEventWriter(folder);
  for (let step = 0; step < 40; step++) writer.add(step, { texts: { a: 'x'.repeat(100_000) } });
  writer.add(40, { texts: { a: 'y'.repeat(3_000_000) } });
  writer.close();
  const reader = openEventFolder(folder);
  const steps: number[] = [];
  let reads = 0;
  for (let events = reader.read(); events.length > 0; events = reader.read(), reads++) {
    steps.push(...events.flatMap((event) => (event.values.length > 0 ? [event.step] : [])));
  }
  assert.deepEqual(
    steps,
    Array.from({ length: 41 }, (_, i) => i),
  );
  assert.ok(reads >= 4, 'the limit bounds one read');
});

test('a damaged record ends its file with a warning; the files after it are read', () => {
  const folder = scratch();
  const first = openEventWriter(folder);
  first.add(1, { scalars: { a: 1 } });
  const good = fs.statSync(first.file).size;
  first.add(2, { scalars: { a: 2 } });
  first.close();
  const second = openEventWriter(folder);
  second.add(3, { scalars: { a: 3 } });
  second.close();
  const bytes = fs.readFileSync(first.file);
  bytes[good + 14]! ^= 4;
  fs.writeFileSync(first.file, bytes);
  const { history, warnings } = readHistory(folder);
  assert.deepEqual(
    history.points('scalar', 'a').map(({ step }) => step),
    [1, 3],
  );
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0]!.startsWith(`${first.file}, byte ${good}:`), warnings[0]);
});

test('after a resume the steps from the checkpoint on are those of the new process', () => {
  const folder = scratch();
  const first = openEventWriter(folder);
  for (let step = 1; step <= 6; step++) first.add(step, { scalars: { a: step, gone: step } });
  first.close();
  const second = openEventWriter(folder, { restartAt: 4 });
  assert.ok(path.basename(second.file) > path.basename(first.file), 'sorts after it, within the same second too');
  second.add(4, { scalars: { a: 40 } });
  second.add(5, { scalars: { a: 49 } });
  second.add(5, { scalars: { a: 50 } });
  second.close();
  assert.deepEqual(
    curve(folder, 'a'),
    [1, 2, 3, 4, 5].map((step) => [step, step < 4 ? step : step * 10]),
  );
  assert.deepEqual(
    curve(folder, 'gone').map(([step]) => step),
    [1, 2, 3],
  );
  assert.deepEqual(readHistory(folder).history.tags('scalar'), ['a', 'gone']);
});

test('a full disk cuts no record in two: what follows can be read', () => {
  const folder = scratch();
  let full = false;
  const disk = {
    ...realDisk,
    write(file: number, bytes: Uint8Array, position: number) {
      if (!full) return realDisk.write(file, bytes, position);
      if (bytes.length < 20) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return realDisk.write(file, bytes.subarray(0, 5), position);
    },
  };
  const writer = openEventWriter(folder, { disk });
  writer.add(1, { scalars: { a: 1 } });
  full = true;
  assert.throws(
    () => writer.add(2, { scalars: { a: 2 } }),
    (error: Error) => error.name === 'UserError' && error.message.includes(writer.file),
  );
  full = false;
  writer.add(3, { scalars: { a: 3 } });
  writer.close();
  assert.deepEqual(readHistory(folder).warnings, []);
  assert.deepEqual(curve(folder, 'a'), [
    [1, 1],
    [3, 3],
  ]);
});
