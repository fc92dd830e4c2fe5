/** Long curves as they are drawn: few points, all of them recorded, and the same picture; the mean over everything. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Points } from '../../backend/protocol/rpc/index.ts';
import * as rpc from '../../backend/protocol/rpc/index.ts';
import { RunningMean } from '../../backend/protocol/running-mean.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { registerRuns } from '../../backend/server/runs/index.ts';
import { thinned } from '../../backend/server/runs/thinned.ts';
import { randomBelow, uniform } from '../random.ts';
import { playBoth } from './server/connect.ts';
import { makeRun, scratchFolder } from './server/run-folders.ts';

const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

function randomCurve(count: number, oddShare = 0.01): Points {
  const steps: number[] = [];
  for (let i = 0; i < count; i++)
    steps.push((steps.at(-1) ?? 0) + 1 + (uniform() < 0.01 ? randomBelow(500) : randomBelow(3)));
  const values = steps.map(() => (uniform() < oddShare ? odd[randomBelow(3)]! : uniform() * 2 - 1));
  return { steps: Float64Array.from(steps), values: Float64Array.from(values) };
}

const within = ({ steps, values }: Points, from: number, to: number) =>
  [...values].filter((value, i) => steps[i]! >= from && steps[i]! <= to && Number.isFinite(value));

test('a thinned curve has recorded points only, and every peak of every stretch', () => {
  for (let trial = 0; trial < 20; trial++) {
    const curve = randomCurve(2000 + randomBelow(5000));
    const [a, b] = [uniform(), uniform()].sort((x, y) => x - y);
    const last = curve.steps.at(-1)!;
    const [from, to] = trial === 0 ? [curve.steps[0]!, last] : [a! * last, b! * last + 1];
    const count = 1 + randomBelow(100);
    const few = thinned(curve, { from, to, count });
    const recorded = new Map([...curve.steps].map((step, i) => [step, curve.values[i]!]));
    few.steps.forEach((step, i) => {
      assert.ok(i === 0 || step > few.steps[i - 1]!, 'ascending');
      assert.ok(Object.is(few.values[i], recorded.get(step)), `step ${step}`);
    });
    assert.ok(few.steps.length <= 7 * (count + 2), `${few.steps.length} points of ${count} stretches`);
    for (let stretch = 0; stretch < count; stretch++) {
      const [low, high] = [0, 1].map((side) => from + ((to - from) * (stretch + side)) / count);
      const [all, kept] = [within(curve, low!, high!), within(few, low!, high!)];
      // What lies on the edge of two stretches belongs to one of them.
      if (all.length < 3) continue;
      const inner = within(curve, low! + 1e-6, high! - 1e-6);
      if (inner.length === 0) continue;
      assert.ok(Math.min(...kept) <= Math.min(...inner), `least of stretch ${stretch}`);
      assert.ok(Math.max(...kept) >= Math.max(...inner), `greatest of stretch ${stretch}`);
    }
    const outside = (steps: Float64Array) => [steps.findLast((step) => step < from), steps.find((step) => step > to)];
    assert.deepEqual(outside(few.steps), outside(curve.steps), 'lines leave the picture at either side');
    const kinds = ({ values }: Points) => new Set([...values].filter((value) => !Number.isFinite(value)).map(String));
    if (trial === 0) assert.deepEqual(kinds(few), kinds(curve));
  }
});

test('a short curve is whole', () => {
  const curve = randomCurve(50);
  const all = { from: curve.steps[0]!, to: curve.steps.at(-1)!, count: 10 };
  assert.deepEqual(thinned(curve, all), { ...curve, whole: true });
  assert.equal(thinned(curve, { from: curve.steps[10]!, to: curve.steps[20]!, count: 100 }).whole, false);
});

test('the running mean has weights that fall with the steps, from the first value on, and goes on where it was', () => {
  const { steps, values } = randomCurve(300, 0.05);
  const reach = 1 + uniform() * 30;
  const expected = (at: number) => {
    let [sum, weight] = [0, 0];
    for (let i = 0; i <= at; i++) {
      if (!Number.isFinite(values[i])) continue;
      const w = Math.exp((steps[i]! - steps[at]!) / reach);
      sum += w * values[i]!;
      weight += w;
    }
    return Number.isFinite(values[at]) ? sum / weight : Number.NaN;
  };
  let mean = new RunningMean(reach);
  steps.forEach((step, i) => {
    if (i === 150) mean = new RunningMean(reach, mean.state);
    const [got, want] = [mean.next(step, values[i]!), expected(i)];
    assert.ok(Object.is(got, want) || Math.abs(got - want) < 1e-9, `value ${i}: ${got}, not ${want}`);
  });
  const constant = new RunningMean(50);
  for (let i = 0; i < 500; i++) assert.ok(Math.abs(constant.next(i * i, 0.3) - 0.3) < 1e-12, 'a constant stays');
});

const { server, client } = playBoth();
registerRuns(server);
server.listen();
after(() => server.end(() => {}));

test('a run is drawn from its files: thinned, smoothed over everything, with its steps, times and last values', async () => {
  const run = makeRun(scratchFolder());
  let now = 1e12;
  const events = openEventWriter(run.paths.events, { now: () => now });
  const [losses, rates] = [new Map<number, number>(), new Map<number, number>()];
  for (let step = 2; step <= 9000; step += step === 4000 ? 11 : 1) {
    now += step === 6000 ? 3_600_000 : 1000;
    losses.set(step, Math.fround(uniform()));
    if (step % 10 === 0) rates.set(step, Math.fround(uniform()));
    events.add(step, { scalars: { loss: losses.get(step)!, ...(rates.has(step) ? { rate: rates.get(step)! } : {}) } });
  }
  events.close();
  run.close();
  const folder = run.paths.folder;
  const ask = (range: [number, number] | null, smoothing = 0) =>
    client.request(rpc.drawCurves, { folder, tags: ['loss', 'rate', 'none'], range, stretches: 200, smoothing });

  const [loss, rate, none] = await ask(null, 100);
  assert.deepEqual([loss!.whole, rate!.whole, none!.whole, none!.raw.steps.length], [false, true, true, 0]);
  assert.ok(loss!.raw.steps.length <= 1400);
  assert.equal(Math.min(...loss!.raw.values), Math.min(...losses.values()));
  const mean = new RunningMean(100);
  const means = new Map([...losses].map(([step, value]) => [step, mean.next(step, value)]));
  for (const [i, step] of loss!.smooth!.steps.entries()) assert.equal(loss!.smooth!.values[i], means.get(step));
  assert.deepEqual(loss!.smooth!.mean, mean.state);

  const [near] = await ask([5000, 5100], 100);
  const inside = [...losses.keys()].filter((step) => step >= 4999 && step <= 5101);
  assert.deepEqual([...near!.raw.steps], inside, 'all of them, where few are asked for');
  assert.equal(near!.smooth!.values[3], means.get(inside[3]!), 'the mean is that over everything before');

  const clock = await client.request(rpc.readClock, { folder });
  assert.deepEqual([...clock.strides], [2, 1, 3999, 4011, 1, 4990]);
  const { steps, seconds } = clock.times;
  assert.ok(steps.length < 1200);
  const at = (step: number) => seconds[steps.indexOf(step)]!;
  assert.ok(at(6000) - at(5999) === 3600, 'a pause lies between the steps that it was between');
  const points = (of: readonly [string, number, number][]): rpc.TagValues => ({
    tags: of.map(([tag]) => tag),
    steps: Float64Array.from(of, ([, step]) => step),
    values: Float64Array.from(of, ([, , value]) => value),
  });
  assert.deepEqual(
    clock.last,
    points([
      ['loss', 9000, losses.get(9000)!],
      ['rate', 9000, rates.get(9000)!],
    ]),
  );
  for (const name of ['step-00004000', 'step-00008000', 'step-00008000-r2']) {
    fs.mkdirSync(path.join(run.paths.checkpoints, name));
  }
  assert.deepEqual((await client.request(rpc.openRun, { folder })).checkpoints, [4000, 8000]);
  const values = await client.request(rpc.readValues, { folder, tags: ['rate', 'loss', 'none'], step: 1234 });
  assert.deepEqual(
    values,
    points([
      ['rate', 1230, rates.get(1230)!],
      ['loss', 1234, losses.get(1234)!],
    ]),
  );
  assert.deepEqual(await client.request(rpc.readValues, { folder, tags: ['loss'], step: 1 }), points([]));
});
