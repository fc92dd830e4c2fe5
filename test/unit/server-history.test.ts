/** Curves in memory: the same as the whole event folder read anew, whatever came when; and never long in the way. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, test } from 'node:test';
import { readHistory } from '../../backend/runs/events/history.ts';
import { encodeEvent, type SummaryValue } from '../../backend/runs/events/proto.ts';
import { encodeRecord } from '../../backend/runs/events/record.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { requireRunFolder } from '../../backend/server/contained.ts';
import { Column } from '../../backend/server/runs/columns.ts';
import { type HistoryChange, RunHistory } from '../../backend/server/runs/history.ts';
import { HistoryCache } from '../../backend/server/runs/history-cache.ts';
import { limitHere } from '../machine-speed.ts';
import { randomBelow, uniform } from '../random.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-history-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
let folders = 0;

function runFolder(): { folder: string; events: string } {
  const folder = path.join(root, `run-${++folders}`);
  const events = path.join(folder, 'events');
  fs.mkdirSync(events, { recursive: true });
  return { folder, events };
}

test('a column keeps the last value of every step, in order, however they come', () => {
  const column = new Column();
  const expected = new Map<number, number>();
  // Three of its pieces.
  for (let i = 0; i < 12_000; i++) {
    if (uniform() < 0.002) {
      const from = 6000 + randomBelow(6000);
      column.dropFrom(from);
      for (const step of [...expected.keys()]) if (step >= from) expected.delete(step);
    }
    const step = uniform() < 0.8 ? i : randomBelow(12_000);
    column.set(step, i, i / 2);
    expected.set(step, i);
  }
  const { steps, values, times } = column.read();
  const sorted = [...expected].sort(([a], [b]) => a - b);
  assert.deepEqual(
    [...steps],
    sorted.map(([step]) => step),
  );
  assert.deepEqual(
    [...values],
    sorted.map(([, value]) => value),
  );
  assert.deepEqual(
    [...times],
    sorted.map(([, value]) => value / 2),
  );
  assert.equal(column.length, expected.size);
});

/** As the events folder reads from scratch. */
function whole(events: string): Record<string, [number, number, number][]> {
  const { history } = readHistory(events);
  return Object.fromEntries(
    history
      .tags('scalar')
      .map((tag) => [
        tag,
        history.points('scalar', tag).map(({ step, value, wallTime }) => [step, value.value, wallTime]),
      ]),
  );
}

function kept(history: RunHistory): Record<string, [number, number, number][]> {
  const rows = (tag: string) => {
    const { steps, values, times } = history.curve(tag);
    return [...steps].map((step, i): [number, number, number] => [step, values[i]!, times[i]!]);
  };
  return Object.fromEntries(history.tags().map((tag) => [tag, rows(tag)]));
}

/** What somebody has who only hears the changes. */
function hear(history: RunHistory): () => Record<string, [number, number][]> {
  const tags = new Map<string, Map<number, number>>();
  history.onChange((change: HistoryChange) => {
    if (change.type === 'restart') {
      for (const points of tags.values())
        for (const step of [...points.keys()]) if (step >= change.step) points.delete(step);
      return;
    }
    if (change.type !== 'scalars') return;
    for (const { step, scalars } of change.points) {
      for (const [tag, value] of Object.entries(scalars)) {
        tags.set(tag, (tags.get(tag) ?? new Map<number, number>()).set(step, value));
      }
    }
  });
  const sorted = (points: Map<number, number>) => [...points].sort(([a], [b]) => a - b);
  return () =>
    Object.fromEntries([...tags].flatMap(([tag, points]) => (points.size > 0 ? [[tag, sorted(points)]] : [])));
}

test('it is what the files say at every moment: growing, resumed, going back, several processes', async () => {
  const { folder, events } = runFolder();
  const history = new RunHistory(folder);
  const heard = hear(history);
  let step = 0;
  for (let process = 0; process < 6; process++) {
    const restartAt = process === 0 ? undefined : randomBelow(step + 2);
    const writer = openEventWriter(events, {
      ...(restartAt === undefined ? {} : { restartAt }),
      now: () => 1e12 + 5000 * process,
    });
    step = restartAt ?? 0;
    for (let i = 0; i < 5; i++) {
      const until = step + randomBelow(30);
      for (; step < until; step++) {
        writer.add(step, {
          scalars: { a: uniform(), ...(step % 3 === 0 ? { b: Number.NaN } : {}) },
          texts: { t: 'x' },
        });
        if (uniform() < 0.2) writer.add(step, { scalars: { late: step } });
      }
      await history.advance();
      assert.deepEqual(kept(history), whole(events));
      const plain = Object.entries(kept(history)).map(([tag, rows]) => [tag, rows.map(([at, value]) => [at, value])]);
      assert.deepEqual(heard(), Object.fromEntries(plain));
    }
    writer.close();
  }
  assert.equal(history.lastStep, Math.max(-1, ...kept(history).a!.map(([at]) => at)));
});

test('a folder made anew under the same name is read anew', async () => {
  const { folder, events } = runFolder();
  const write = (value: number, now: number) => {
    const writer = openEventWriter(events, { now: () => now });
    for (let step = 1; step <= 5; step++) writer.add(step, { scalars: { [`tag ${value}`]: value } });
    writer.close();
  };
  write(1, 1e12);
  const history = new RunHistory(folder);
  await history.advance();
  fs.rmSync(events, { recursive: true });
  fs.mkdirSync(events);
  write(2, 2e12);
  await history.advance();
  assert.deepEqual(history.tags(), ['tag 2']);
});

test('a damaged record, one that makes no sense, and a link to the outside are warnings; the rest is there', async () => {
  const { folder, events } = runFolder();
  const names = [1, 2, 3].map((n) => path.join(events, `events.out.tfevents.000000000${n}.host.1`));
  const writer = openEventWriter(events, { now: () => 1e12 });
  writer.add(1, { scalars: { sound: 1 } });
  writer.close();
  fs.writeFileSync(names[0]!, encodeRecord(new Uint8Array([0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])));
  fs.writeFileSync(names[1]!, 'not a record at all, though long enough for one');
  const outside = path.join(root, `outside-${folders}`);
  fs.writeFileSync(outside, fs.readFileSync(writer.file));
  if (process.platform !== 'win32') fs.symlinkSync(outside, names[2]!);
  const history = new RunHistory(folder);
  await history.advance();
  await history.advance();
  assert.deepEqual([...history.curve('sound').steps], [1]);
  const warnings = history.warnings().join('\n');
  assert.match(warnings, /0000000002\.host.*CRC/);
  if (process.platform !== 'win32') assert.match(warnings, /0000000003\.host\.1 leads out of/);
  assert.deepEqual(history.curve('no such tag').steps, new Float64Array());
});

test('it can be broken off, and goes on later', async () => {
  const { folder, events } = runFolder();
  const writer = openEventWriter(events);
  for (let step = 0; step < 5000; step++) writer.add(step, { scalars: { a: step, b: step, c: step } });
  writer.close();
  const history = new RunHistory(folder);
  const abort = new AbortController();
  history.onChange(() => abort.abort());
  await assert.rejects(history.advance(abort.signal), { name: 'AbortError' });
  assert.ok(history.curve('a').steps.length < 5000);
  await history.advance();
  assert.equal(history.curve('a').steps.length, 5000);
});

test('100,000 steps of 12 curves are read without holding up anything for 50 ms', async (context) => {
  const { folder, events } = runFolder();
  const writer = openEventWriter(events);
  const tags = Array.from({ length: 12 }, (_, i) => `loss/${i}`);
  for (let step = 1; step <= 100_000; step++) {
    writer.add(step, { scalars: Object.fromEntries(tags.map((tag, i) => [tag, step * i])) });
  }
  writer.close();
  const history = new RunHistory(folder);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  // What the thread computes at a stretch, whatever else the machine does meanwhile.
  let [longest, before] = [0, process.cpuUsage()];
  const start = performance.now();
  const note = () => {
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.cpuUsage();
  };
  let over = false;
  const beat = () => {
    note();
    if (!over) setImmediate(beat);
  };
  beat();
  await history.advance();
  over = true;
  delay.disable();
  const ms = performance.now() - start;
  context.diagnostic(
    `read in ${ms.toFixed(0)} ms; event loop delay: 99 % ${(delay.percentile(99) / 1e6).toFixed(1)} ms, ` +
      `most ${(delay.max / 1e6).toFixed(1)} ms; computed at most ${longest.toFixed(1)} ms at a stretch`,
  );
  assert.equal(history.curve('loss/11').values[99_999], Math.fround(1_100_000));
  const limit = limitHere(50);
  assert.ok(longest < limit, `${longest} ms of ${limit.toFixed(0)}`);
  // What the thread waits for a processor is the machine's business where others use it too.
  const isBusy = os.loadavg()[0]! > os.availableParallelism() / 2;
  assert.ok(isBusy || delay.percentile(99) / 1e6 < limit, 'event loop delay');
});

test('the cache keeps what is held and what was used last, and no more than fits', async () => {
  const cache = new HistoryCache({ bytes: 1e9, runs: 2 });
  const all = Array.from({ length: 4 }, () => {
    const { folder, events } = runFolder();
    const writer = openEventWriter(events);
    writer.add(1, { scalars: { a: 1 } });
    writer.close();
    return folder;
  });
  const held = cache.hold(all[0]!);
  const first = await cache.current(all[0]!);
  assert.equal(held.history, first);
  const second = await cache.current(all[1]!);
  for (const folder of all) await cache.current(folder);
  assert.equal(await cache.current(all[0]!), first, 'held');
  assert.notEqual(await cache.current(all[1]!), second, 'given up');
  held.release();
  for (const folder of all.slice(1)) await cache.current(folder);
  assert.equal(cache.size, 2);
  const tight = new HistoryCache({ bytes: 1, runs: 100 });
  for (const folder of all) await tight.current(folder);
  assert.equal(tight.size, 1, 'the one in use, however large');
});

/** Steps and values of a curve. */
const pointsOf = (history: RunHistory, tag: string) => {
  const { steps, values } = history.curve(tag);
  return [...steps].map((step, i) => [step, values[i]]);
};

/** An event file of its own with `count` steps, as bytes. */
function eventBytes(count: number, value: (step: number) => number, now = 1e12): { name: string; bytes: Buffer } {
  const { events } = runFolder();
  const writer = openEventWriter(events, { now: () => now });
  for (let step = 0; step < count; step++) writer.add(step, { scalars: { a: value(step) } });
  writer.close();
  return { name: path.basename(writer.file), bytes: fs.readFileSync(writer.file) };
}

test('a tail that reads as zeros for a while is a warning until it is there, wherever it begins', async () => {
  const { name, bytes } = eventBytes(20, (step) => step / 4);
  const all = Array.from({ length: 20 }, (_, step) => [step, step / 4]);
  for (let from = 1; from < bytes.length; from += 7) {
    const { folder, events } = runFolder();
    const file = path.join(events, name);
    const history = new RunHistory(folder);
    const heard = hear(history);
    for (const until of [from, Math.min(from + 40, bytes.length)]) {
      const half = Buffer.from(bytes);
      half.fill(0, until);
      fs.writeFileSync(file, half);
      await history.advance();
      assert.deepEqual(pointsOf(history, 'a'), all.slice(0, pointsOf(history, 'a').length));
      assert.equal(history.warnings().length, until < bytes.length ? 1 : 0, `${until} of ${bytes.length}`);
    }
    fs.writeFileSync(file, bytes);
    await history.advance();
    assert.deepEqual(pointsOf(history, 'a'), all, `zeros from ${from}`);
    assert.deepEqual(heard(), { a: all });
    assert.deepEqual(history.warnings(), []);
  }
});

test('a file made anew under its name is read anew: shorter, longer, as long, in place or renamed over', async () => {
  const old = eventBytes(10, (step) => step);
  // The same clock, so that nothing but what was recorded tells them apart.
  for (const count of [1, 4, 10, 11, 400]) {
    for (const way of ['in place', 'renamed over'] as const) {
      const { folder, events } = runFolder();
      const file = path.join(events, old.name);
      fs.writeFileSync(file, old.bytes);
      const history = new RunHistory(folder);
      const heard = hear(history);
      await history.advance();
      const made = eventBytes(count, (step) => step + 100);
      if (way === 'in place') fs.writeFileSync(file, made.bytes);
      else {
        fs.writeFileSync(path.join(folder, 'new'), made.bytes);
        fs.renameSync(path.join(folder, 'new'), file);
      }
      await history.advance();
      const expected = Array.from({ length: count }, (_, step) => [step, step + 100]);
      assert.deepEqual(pointsOf(history, 'a'), expected, `${count} ${way}`);
      assert.deepEqual(heard(), { a: expected });
      assert.deepEqual(history.warnings(), []);
      assert.equal(history.lastStep, count - 1);
    }
  }
});

test('a file that only grows is never begun anew, also when it is copied over itself', async () => {
  const { name, bytes } = eventBytes(50, (step) => step);
  const { folder, events } = runFolder();
  const history = new RunHistory(folder);
  let restarts = 0;
  history.onChange(({ type }) => {
    if (type === 'restart') restarts++;
  });
  for (let length = 0; length < bytes.length + 97; length += 97) {
    fs.writeFileSync(path.join(events, 'copy'), bytes.subarray(0, length));
    fs.renameSync(path.join(events, 'copy'), path.join(events, name));
    await history.advance();
  }
  assert.equal(history.curve('a').steps.length, 50);
  assert.equal(restarts, 0);
});

test('a damaged or senseless file that is repaired is read on', async () => {
  const { name, bytes } = eventBytes(12, (step) => step);
  const { folder, events } = runFolder();
  const file = path.join(events, name);
  const damaged = Buffer.from(bytes);
  damaged[bytes.length >> 1]! ^= 1;
  fs.writeFileSync(file, damaged);
  const history = new RunHistory(folder);
  await history.advance();
  assert.match(history.warnings().join(), /CRC/);
  fs.writeFileSync(file, bytes);
  await history.advance();
  assert.equal(history.curve('a').steps.length, 12);
  fs.writeFileSync(file, encodeRecord(new Uint8Array([0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])));
  await history.advance();
  assert.match(history.warnings().join(), /cannot be read/);
  assert.deepEqual(history.tags(), []);
  fs.writeFileSync(file, bytes);
  await history.advance();
  assert.deepEqual([history.curve('a').steps.length, history.warnings()], [12, []]);
});

test('events/ may be a link to another disk; a file in it that leads on is refused', {
  skip: process.platform === 'win32',
}, async () => {
  const { folder, events } = runFolder();
  const disk = fs.mkdtempSync(path.join(root, 'disk-'));
  fs.rmSync(events, { recursive: true });
  fs.symlinkSync(disk, events);
  const writer = openEventWriter(events, { now: () => 1e12 });
  writer.add(3, { scalars: { a: 1 } });
  writer.close();
  const outside = path.join(root, 'secret');
  fs.writeFileSync(outside, fs.readFileSync(writer.file));
  fs.symlinkSync(outside, path.join(disk, 'events.out.tfevents.0000000001.host.1'));
  fs.writeFileSync(path.join(folder, 'run.json'), '{}');
  assert.equal(requireRunFolder(folder).events, events);
  const history = new RunHistory(folder);
  await history.advance();
  assert.deepEqual(pointsOf(history, 'a'), [[3, 1]]);
  assert.match(history.warnings().join(), /0000000001\.host\.1 leads out of/);
});

test('an events/ on a disk that is not connected is said, and read once it is; a folder called like an event file is named in words', {
  skip: process.platform === 'win32',
}, async () => {
  const { folder, events } = runFolder();
  const disk = path.join(root, 'unplugged');
  fs.rmSync(events, { recursive: true });
  fs.symlinkSync(disk, events);
  const history = new RunHistory(folder);
  await history.advance();
  assert.match(history.warnings().join(), /events is a link that leads nowhere: is its disk connected\?/);
  fs.mkdirSync(disk);
  fs.mkdirSync(path.join(disk, 'events.out.tfevents.0000000001.host.1'));
  const writer = openEventWriter(events, { now: () => 1e12 });
  writer.add(3, { scalars: { a: 1 } });
  writer.close();
  await history.advance();
  assert.deepEqual(pointsOf(history, 'a'), [[3, 1]]);
  assert.deepEqual(
    history.warnings().map((warning) => /: it is a folder, not a file \(EISDIR\)$/.test(warning)),
    [true],
  );
});

test('100,000 tags in 2 MB take no gigabytes: so many are kept, and it says that there are more', async () => {
  const { folder, events } = runFolder();
  const value = (tag: string): SummaryValue => ({ kind: 'scalar', tag, value: 1 });
  const event = (step: number, values: SummaryValue[]) =>
    encodeRecord(encodeEvent({ wallTime: 1, step, fileVersion: '', restart: false, values }));
  const many = Array.from({ length: 100_000 }, (_, i) => value(`t${i}`));
  const file = Buffer.concat([event(1, [value('loss')]), event(1, many), event(2, [value('loss')])]);
  assert.ok(file.length < 2e6, `${file.length} bytes`);
  fs.writeFileSync(path.join(events, 'events.out.tfevents.0000000001.host.1'), file);
  const history = new RunHistory(folder);
  await history.advance();
  assert.deepEqual([...history.curve('loss').steps], [1, 2]);
  assert.equal(history.tags().length, 10_000);
  assert.match(history.warnings().join(), /more than 10000 curves: 90001 values of others are left out/);
  assert.ok(history.bytes < 1e6, `${history.bytes} bytes of curves`);
});

test('ten thousand curves and as many restarts: each curve is cut once, at what it missed', async () => {
  const { folder, events } = runFolder();
  const at = (step: number, tags: readonly string[], restart = false) =>
    encodeRecord(
      encodeEvent({
        ...{ wallTime: 1, step, fileVersion: '', restart },
        values: tags.map((tag) => ({ kind: 'scalar', tag, value: step })),
      }),
    );
  const tags = Array.from({ length: 10_000 }, (_, i) => `t${i}`);
  const storm = tags.flatMap((tag) => [at(2, [tag]), at(2, [], true)]);
  const file = Buffer.concat([at(1, tags), at(5, ['t0', 't1']), at(7, ['t1']), ...storm, at(3, ['t0'])]);
  assert.ok(file.length < 2e6, `${file.length} bytes`);
  fs.writeFileSync(path.join(events, 'events.out.tfevents.0000000001.host.1'), file);
  const history = new RunHistory(folder);
  const start = process.cpuUsage();
  await history.advance();
  assert.equal(history.tags().length, 10_000);
  assert.deepEqual([...history.curve('t0').steps], [1, 3]);
  assert.deepEqual([...history.curve('t1').steps], [1]);
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 3e6, `${(user + system) / 1e6} s of the processor`);
});

test('a record that claims gigabytes is damage, not something to wait for', async () => {
  const { folder, events } = runFolder();
  const length = Buffer.alloc(12);
  length.writeBigUInt64LE(2n ** 40n);
  length.writeUInt32LE(encodedCrc(length.subarray(0, 8)), 8);
  fs.writeFileSync(path.join(events, 'events.out.tfevents.0000000001.host.1'), length);
  const history = new RunHistory(folder);
  await history.advance();
  assert.match(history.warnings().join(), /a record of 1099511627776 bytes/);
});

/** The masked CRC-32C that stands behind these eight bytes in a record. */
function encodedCrc(bytes: Uint8Array): number {
  return Buffer.from(encodeRecord(bytes)).readUInt32LE(12 + bytes.length);
}
