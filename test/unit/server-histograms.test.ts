/** Histograms in event files of other programs, as the monitor asks for them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import Pbf from 'pbf';
import * as rpc from '../../backend/protocol/rpc/index.ts';
import { encodeRecord } from '../../backend/runs/events/record.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { EventHistograms } from '../../backend/server/runs/event-histograms.ts';
import { registerRuns } from '../../backend/server/runs/index.ts';
import { uniform } from '../random.ts';
import { playBoth } from './server/connect.ts';
import { scratchFolder } from './server/run-folders.ts';

const { server, client } = playBoth();
registerRuns(server);
server.listen();
after(() => server.end(() => {}));

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

test("add_histogram's are shown step by step in the same bins, every value counted", async () => {
  const folder = path.join(scratchFolder(), 'other');
  const events = openEventWriter(folder);
  const values = (step: number) => Array.from({ length: 500 }, () => step / 10 + uniform());
  const recorded = new Map([0, 10, 20].map((step) => [step, values(step)]));
  for (const [step, some] of recorded)
    events.add(step, { scalars: { loss: 1 }, histograms: { 'layer/weights': some } });
  events.close();
  const { histograms } = await client.request(rpc.openRun, { folder });
  assert.deepEqual(histograms, ['layer/weights']);
  const drawn = await client.request(rpc.drawHistograms, { folder, tag: 'layer/weights' });
  assert.deepEqual([...drawn.steps], [0, 10, 20]);
  const width = (drawn.high - drawn.low) / drawn.bins;
  for (const [i, some] of [...recorded.values()].entries()) {
    const counts = drawn.counts.subarray(i * drawn.bins, (i + 1) * drawn.bins);
    assert.ok(Math.abs(sum(counts) - 500) < 0.01);
    assert.equal(drawn.least[i], Math.min(...some));
    assert.ok(Math.abs(drawn.mean[i]! - sum(some) / 500) < 1e-9);
    // Half of the values lie below the middle of what was drawn for the step, as near as buckets of 10 % tell.
    const middle = i + 0.5;
    const below = sum([...counts].filter((_, bin) => drawn.low + (bin + 0.5) * width < middle));
    const exactly = some.filter((value) => value < middle).length;
    assert.ok(Math.abs(below - exactly) < 90, `${below} below ${middle}, not ${exactly}`);
  }
  const none = await client.request(rpc.drawHistograms, { folder, tag: 'none' });
  assert.equal(none.steps.length, 0);
});

test("TensorFlow's newer histograms are tensors of rows", async () => {
  const folder = path.join(scratchFolder(), 'newer');
  fs.mkdirSync(folder);
  const rows = Float64Array.of(-1, 0, 3, 0, 2, 5);
  const pbf = new Pbf();
  pbf.writeDoubleField(1, 1e9);
  pbf.writeVarintField(2, 7);
  pbf.writeMessage(
    5,
    (_, summary) =>
      summary.writeMessage(
        1,
        (__, value) => {
          value.writeStringField(1, 'kernel');
          value.writeMessage(
            8,
            (___, tensor) => {
              tensor.writeVarintField(1, 2);
              tensor.writeBytesField(4, new Uint8Array(rows.buffer));
            },
            null,
          );
          value.writeMessage(
            9,
            (___, metadata) =>
              metadata.writeMessage(1, (____, plugin) => plugin.writeStringField(1, 'histograms'), null),
            null,
          );
        },
        null,
      ),
    null,
  );
  fs.writeFileSync(path.join(folder, 'events.out.tfevents.1700000000.host'), encodeRecord(pbf.finish()));
  const drawn = await client.request(rpc.drawHistograms, { folder, tag: 'kernel' });
  assert.deepEqual([...drawn.steps, drawn.low, drawn.high, drawn.mean[0]], [7, -1, 2, (3 * -0.5 + 5) / 8]);
  const third = Math.floor(drawn.bins / 3);
  assert.ok(Math.abs(sum(drawn.counts.subarray(0, third)) - 3) < 0.2);
});

test('one wild step does not press the others together, and many steps make room', () => {
  const all = new EventHistograms();
  const plain = { min: 0, max: 1, num: 4, sum: 2, sumSquares: 1, bucketLimit: [0.5, 1], bucket: [2, 2] };
  for (let step = 0; step < 1000; step++) {
    const wild = step === 500 ? { ...plain, max: 1e9, bucketLimit: [0.5, Number.MAX_VALUE] } : plain;
    all.add('weights', step, wild);
  }
  const { high, steps, counts, bins } = all.drawn('weights');
  assert.equal(high, 1);
  assert.ok(steps.length <= 300 && steps.at(-1) === 999);
  assert.ok(Math.abs(sum(counts) - 4 * steps.length) < 0.01, `${bins} bins`);
  all.add('weights', 1000, { ...plain, min: Number.NaN });
  all.dropFrom(10);
  assert.ok([...all.drawn('weights').steps].every((step) => step < 10));
});
