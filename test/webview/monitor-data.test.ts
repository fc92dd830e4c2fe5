/** What the monitor's curves are made of: extents, means and steps, against the plain way to compute them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningMean } from '../../backend/protocol/running-mean.ts';
import { drawnCurve } from '../../backend/server/runs/drawn-curves.ts';
import { clockOf } from '../../backend/server/runs/run-clock.ts';
import { groupOf, groupTags, planCharts } from '../../webview/monitor/charts/groups.ts';
import { type CursorRange, TimeCursor } from '../../webview/monitor/cursor.ts';
import { Clock } from '../../webview/monitor/data/clock.ts';
import { Curve } from '../../webview/monitor/data/curve.ts';
import { after, atOrBefore, before } from '../../webview/monitor/data/steps.ts';
import { readFieldSet } from '../../webview/monitor/pictures/fields.ts';
import { Scales } from '../../webview/monitor/pictures/scale.ts';
import { spread } from '../../webview/monitor/pictures/spread.ts';
import { arranged, bestOf, type Listed } from '../../webview/monitor/runs/order.ts';
import { logTicks } from '../../webview/shared/charts/log-ticks.ts';
import { Series } from '../../webview/shared/charts/series.ts';
import { valueRange } from '../../webview/shared/charts/value-range.ts';
import { rampColour } from '../../webview/shared/colour-ramp.ts';
import { divergingColours, tableIndex } from '../../webview/shared/heatmaps/diverging.ts';
import { robustMax } from '../../webview/shared/heatmaps/robust-max.ts';
import { randomBelow, uniform } from '../random.ts';

const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

function randomValue(): number {
  return uniform() < 0.05 ? odd[randomBelow(3)]! : uniform() * 2 - 1;
}

/** A curve and the plain lists it should equal. */
function randomCurve(count: number) {
  const steps: number[] = [];
  for (let i = 0; i < count; i++) steps.push((steps.at(-1) ?? 0) + 1 + randomBelow(3));
  return { steps, values: steps.map(randomValue) };
}

function plainExtent(values: readonly number[]) {
  const finite = values.filter(Number.isFinite);
  return { min: Math.min(...finite), max: Math.max(...finite) };
}

function assertExtents(series: Series, values: readonly number[]): void {
  for (let trial = 0; trial < 200; trial++) {
    const [from, to] = [uniform(), uniform()].map((part) => Math.floor(part * (values.length + 1))).sort(order);
    assert.deepEqual(
      series.extent(from, to),
      plainExtent(values.slice(from, to)),
      `[${from}, ${to}) of ${values.length}`,
    );
  }
}

const order = (a: number, b: number) => a - b;

test('extents of a curve are those of its values, however it grew and shrank', () => {
  for (const count of [1, 7, 8, 9, 63, 64, 65, 700]) {
    const { steps, values } = randomCurve(count);
    const series = new Series();
    for (let at = 0; at < count; ) {
      const size = 1 + randomBelow(40);
      series.append(steps.slice(at, at + size), values.slice(at, at + size));
      at += size;
    }
    assertExtents(series, values);
    const keep = randomBelow(count);
    series.dropFrom(steps[keep]!);
    assert.equal(series.length, keep);
    assertExtents(series, values.slice(0, keep));
    const again = values.slice(keep).map(randomValue);
    series.append(steps.slice(keep), again);
    assertExtents(series, [...values.slice(0, keep), ...again]);
    const all = [...values.slice(0, keep), ...again];
    assert.deepEqual(
      series.odd.slice(),
      all.flatMap((value, i) => (Number.isFinite(value) ? [] : [i])),
    );
  }
});

test('a curve takes a step once, and finds steps', () => {
  const series = new Series();
  series.append([0, 10, 20], [1, 2, 3]);
  assert.equal(series.append([10, 20, 30], [7, 7, 4]), 1);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => series.value(i)),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    [-1, 0, 9, 10, 31].map((step) => series.indexUpTo(step)),
    [-1, 0, 0, 1, 3],
  );
  assert.deepEqual(
    [-5, 4, 6, 99].map((step) => series.nearest(step)),
    [0, 0, 1, 3],
  );
  assert.equal(new Series().nearest(3), -1);
});

const drawing = (range: [number, number] | null, smoothing = 0) => ({ range, stretches: 50, smoothing });

test('a curve is all of it coarsely, near where it was looked at closely, and every point that came since', () => {
  const { steps, values } = randomCurve(9000);
  const points = { steps: Float64Array.from(steps), values: Float64Array.from(values) };
  const until = 8000;
  const before = { steps: points.steps.slice(0, until), values: points.values.slice(0, until) };
  const reach = 1 + uniform() * 300;
  const curve = new Curve(drawnCurve('loss', before, drawing(null, reach)), 50, reach);
  const last = steps.at(-1)!;
  assert.ok(!curve.whole && curve.isCoarse(0, last, 500), 'too few to be all that a chart shows');
  const near: [number, number] = [steps[6000]!, last];
  curve.append({ steps: points.steps.slice(until - 5), values: points.values.slice(until - 5) });
  curve.refine({ ...drawnCurve('loss', before, { ...drawing(near, reach), stretches: 2048 }) }, near, 2048);
  assert.equal(curve.isCoarse(...near, 500), false);
  const shown = curve.over(...near);
  const mean = new RunningMean(reach);
  const means = new Map(steps.map((step, i) => [step, mean.next(step, values[i]!)]));
  const same = (series: Series, expected: (index: number) => number) => {
    for (let i = 5999; i < 9000; i++) {
      const [got, want] = [series.value(series.indexUpTo(steps[i]!)), expected(i)];
      assert.ok(Object.is(got, want) || Math.abs(got - want) < 1e-9, `step ${steps[i]}: ${got}, not ${want}`);
    }
  };
  same(shown.raw, (i) => values[i]!);
  same(shown.smooth!, (i) => means.get(steps[i]!)!);
  const finite = values.filter(Number.isFinite);
  assert.deepEqual(curve.over(0, last).raw.extent(), { min: Math.min(...finite), max: Math.max(...finite) });
  assert.equal(curve.best('least')!.value, Math.min(...finite));
  assert.equal(curve.best('least')!.step, steps[values.indexOf(Math.min(...finite))]);
});

const noValues = { tags: [], steps: new Float64Array(), values: new Float64Array() };

test('a clock knows every step, and when it was, as a run grows', () => {
  const steps: number[] = [];
  for (let i = 0; i < 3000; i++) steps.push((steps.at(-1) ?? 4) + (i % 500 === 0 ? 1 + randomBelow(9) : 2));
  const times = Float64Array.from(steps, (step, i) => 1e9 + step * 0.5 + (i >= 1700 ? 3600 : 0));
  const cut = 2000;
  const longest = () => ({ steps: Float64Array.from(steps.slice(0, cut)), values: times, times: times.slice(0, cut) });
  const clock = new Clock(clockOf({ longest, lastValues: () => noValues }));
  clock.append(steps.slice(cut - 3), times.slice(cut - 3));
  assert.deepEqual(
    [clock.length, clock.firstStep, clock.lastStep, clock.begun],
    [3000, steps[0], steps.at(-1), times[0]],
  );
  for (let trial = 0; trial < 500; trial++) {
    const i = randomBelow(3000);
    const step = steps[i]!;
    assert.deepEqual([clock.step(i), clock.indexUpTo(step), clock.indexFrom(step)], [step, i, i]);
    assert.equal(clock.nearest(step + 0.3), step);
    assert.ok(Math.abs(clock.secondsAt(step) - times[i]!) < 1e-3, `step ${step} of ${i}`);
    assert.ok(Math.abs(clock.stepAt(times[i]!) - step) < 0.01);
  }
  assert.equal(clock.indexUpTo(steps[0]! - 1), -1);
  assert.equal(clock.indexFrom(steps.at(-1)! + 1), 3000);
  const none = new Clock();
  none.append([7], [1e9]);
  none.append([7, 10, 13, 14], [1, 2, 3, 4]);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => none.step(i)),
    [7, 10, 13, 14],
  );
});

test('a mean that lags behind its values stays in its chart when they are looked at closely', () => {
  const [raw, smooth] = [new Series(), new Series()];
  const steps = Array.from({ length: 100 }, (_, i) => i);
  raw.append(
    steps,
    steps.map((step) => 100 - step),
  );
  smooth.append(
    steps,
    steps.map((step) => 130 - step),
  );
  const [low, high] = valueRange({ traces: [{ raw, smooth }], from: 60, to: 70, log: false });
  assert.ok(low <= 30 && high >= 70, `${low} to ${high}`);
});

test('the marks of a logarithmic axis are few and round, whatever its ends are', () => {
  assert.deepEqual(logTicks(0.095, 3.2), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3]);
  assert.deepEqual(logTicks(1.1, 1.35), [1.1, 1.15, 1.2, 1.25, 1.3, 1.35]);
  assert.deepEqual(logTicks(0.41, 0.42), [0.41, 0.412, 0.414, 0.416, 0.418, 0.42]);
  for (const [min, max] of [
    [0, 1],
    [-1, 1],
    [1, 1],
    [2, 1],
    [Number.NaN, 1],
    [1, Number.POSITIVE_INFINITY],
  ] as const) {
    assert.deepEqual(logTicks(min, max), []);
  }
  for (let i = 0; i < 2000; i++) {
    const min = 10 ** (80 * uniform() - 45);
    const max = min * (1.2 + 10 ** (10 * uniform() - 2));
    const ticks = logTicks(min, max);
    assert.ok(ticks.length >= 2 && ticks.length < 130, `${ticks.length} from ${min} to ${max}`);
    assert.ok(
      ticks.every((tick, at) => tick >= min && tick <= max && (at === 0 || tick > ticks[at - 1]!)),
      `${ticks}`,
    );
    assert.ok(
      ticks.every((tick) => tick.toExponential().length < 9),
      `${ticks}`,
    );
  }
});

test('runs are filtered, sorted, grouped and pinned, the best of them known', () => {
  const listed = (name: string, state: string, loss: number, ...tags: string[]): Listed => ({
    ...{ folder: `/${name}`, name, state, kind: 'distill', tags, numbers: new Map([['loss', loss]]) },
  });
  const runs = [
    listed('ten', 'running', 0.3, 'wide'),
    listed('two', 'failed', Number.NaN),
    listed('one', 'running', 0.2, 'wide', 'slow'),
    listed('tiny', 'finished', 0.5),
  ];
  const names = (...how: [string, { by: string; down: boolean } | null, 'none' | 'state' | 'tag', string[]]) =>
    arranged(runs, ...how).map(({ title, runs: some }) => [title, ...some.map(({ name }) => name)]);
  assert.deepEqual(names('', null, 'none', []), [['', 'ten', 'two', 'one', 'tiny']]);
  assert.deepEqual(names('', { by: 'loss', down: false }, 'none', []), [['', 'one', 'ten', 'tiny', 'two']]);
  assert.deepEqual(names('', { by: 'loss', down: true }, 'none', []), [['', 'tiny', 'ten', 'one', 'two']]);
  assert.deepEqual(names('WIDE run', null, 'none', ['/two']), [
    [null, 'two'],
    ['', 'ten', 'one'],
  ]);
  assert.deepEqual(names('', null, 'tag', []), [
    ['wide', 'ten', 'one'],
    ['', 'two', 'tiny'],
  ]);
  assert.deepEqual(names('', { by: 'name', down: false }, 'state', []), [
    ['failed', 'two'],
    ['finished', 'tiny'],
    ['running', 'one', 'ten'],
  ]);
  assert.deepEqual([...bestOf(runs, [{ id: 'loss', better: 'least' }])], [['loss', '/one']]);
  assert.deepEqual([...bestOf(runs, [{ id: 'loss', better: null }])], []);
});

test('recorded steps are found at, before and after a step', () => {
  const steps = [0, 4, 8];
  assert.deepEqual(
    [0, 3, 4, 99].map((step) => atOrBefore(steps, step)),
    [0, 0, 4, 8],
  );
  assert.equal(atOrBefore([10], 3), 10, 'the first one when there is none before');
  assert.equal(atOrBefore([], 3), undefined);
  assert.deepEqual(
    [0, 4, 5].map((step) => before(steps, step)),
    [undefined, 0, 4],
  );
  assert.deepEqual(
    [0, 5, 8].map((step) => after(steps, step)),
    [4, 8, undefined],
  );
});

test('every tag has a group, and is in one chart', () => {
  const tags = [
    'loss/matching',
    'probe/cosine/900',
    'speed/gpu 1 %',
    'speed/gpu 0 %',
    'memory/gpu 0 MB',
    'probe/cosine/100',
    'residual/fake',
    'residual/real',
    'ranks/waiting of rank 10',
    'ranks/waiting of rank 2',
    'ranks/images per second of rank 2',
    'what/else',
    'lambda',
  ];
  const charts = groupTags(tags).flatMap(planCharts);
  assert.deepEqual(charts.flatMap((chart) => [...chart.tags]).sort(), tags.toSorted());
  assert.deepEqual(charts.find(({ id }) => id === 'probe/cosine')?.tags, ['probe/cosine/100', 'probe/cosine/900']);
  assert.deepEqual(charts.find(({ id }) => id === 'residual')?.tags, ['residual/real', 'residual/fake']);
  assert.deepEqual(charts.find(({ id }) => id === 'speed/gpu')?.tags, ['speed/gpu 0 %', 'speed/gpu 1 %']);
  assert.deepEqual(charts.find(({ id }) => id === 'ranks/waiting')?.tags, [
    'ranks/waiting of rank 2',
    'ranks/waiting of rank 10',
  ]);
  assert.equal(groupOf('ranks/of something else'), 'other');
  assert.equal(groupOf('what/else'), 'other');
});

function cursorOver(steps: number[], over = false): { cursor: TimeCursor; range: { last: number } } {
  const range = { last: steps.at(-1)! };
  const get = (): CursorRange => ({
    first: steps[0]!,
    last: range.last,
    over,
    neighbour: (step, direction) => (direction > 0 ? after(steps, step) : before(steps, step)),
    recorded: (step, direction) => (direction > 0 ? after([0, 4], step) : before([0, 4], step)),
  });
  return { cursor: new TimeCursor(get, 'live', 0), range };
}

test('a live cursor follows, peeks at what is pointed at, and comes back', () => {
  const { cursor, range } = cursorOver([0, 1, 2, 3, 4, 5]);
  assert.equal(cursor.step, 5);
  range.last = 9;
  assert.equal(cursor.step, 9);
  cursor.hover(2);
  assert.equal(cursor.step, 2);
  cursor.leave();
  assert.equal(cursor.step, 9);
  cursor.move(-1, true);
  assert.deepEqual([cursor.mode, cursor.step], ['free', 4]);
  cursor.hover(3);
  cursor.leave();
  assert.equal(cursor.step, 3, 'a free cursor stays where the pointer left it');
});

test('a pinned cursor goes only where it is sent', () => {
  const { cursor } = cursorOver([0, 1, 2, 3, 4, 5], true);
  cursor.hover(1);
  assert.equal(cursor.mode, 'free', 'a run that is over has nothing to follow');
  cursor.pin(2);
  cursor.hover(4);
  assert.equal(cursor.step, 2);
  assert.equal(cursor.move(1, false), true);
  assert.deepEqual([cursor.mode, cursor.step], ['pinned', 3]);
  cursor.goTo(1000);
  assert.equal(cursor.step, 5);
  assert.equal(cursor.move(1, false), false);
  cursor.unpin();
  cursor.hover(1);
  assert.equal(cursor.step, 1);
});

function probe(step: number, size: number) {
  const fill = (count: number, value: () => number) => Float32Array.from({ length: count }, value);
  const shape = [2, 3, 1, 2, 2]; // 2 levels, 3 images
  const tensors = [
    { name: 'x', shape: [3, 1, 2, 2], data: fill(12, uniform) },
    { name: 'sigma', shape: [2], data: Float32Array.of(0.1, 4) },
    { name: 'cosine', shape: [2, 3], data: fill(6, uniform) },
    { name: 'muReal', shape, data: fill(24, () => size * (uniform() - 0.5)) },
    { name: 'muFake', shape, data: fill(24, () => size * (uniform() - 0.5)) },
  ];
  return { kind: 'probe' as const, step, tensors, metadata: { levels: '[200,700]' } };
}

test('a cell of the probe is one image at one level, and the difference is mu_real - mu_fake', () => {
  const fields = probe(3, 1);
  const set = readFieldSet(fields);
  const [, , cosine, real, fake] = fields.tensors.map(({ data }) => data);
  const [low, high] = set.columns(2, 9);
  assert.equal(set.columns(2, 9).length, 2);
  assert.deepEqual([low!.sigma, high!.sigma], [Math.fround(0.1), 4]);
  assert.deepEqual([low!.level, high!.level], [200, 700]);
  assert.equal(high!.cosine, cosine![5]);
  assert.equal(high!.residualRatio, null);
  assert.equal(high!.picture('grad'), null);
  const at = (1 * 3 + 2) * 4;
  const expected = real!.subarray(at, at + 4).map((value, i) => value - fake![at + i]!);
  assert.deepEqual(high!.picture('difference')!.data, expected);
  for (const levels of ['[200]', '[200,"700"]', '{}', undefined]) {
    const [column] = readFieldSet({ ...fields, metadata: levels === undefined ? {} : { levels } }).columns(0, 1);
    assert.equal(column!.level, null, 'not one whole number for each sigma');
  }
});

test('a colour scale is that of all recorded steps, whichever were seen; a wild one does not count', () => {
  const scales = new Scales();
  const ranges = (quantile: number) => ({
    max: 2 * quantile,
    quantile,
    levels: [{ max: quantile, quantile: quantile / 2 }],
  });
  const step = (at: number, quantile: number) => ({ step: at, difference: ranges(quantile), grad: null });
  const quantiles = Array.from({ length: 7 }, () => 1 + uniform());
  scales.learn(
    'run probe',
    quantiles.map((quantile, i) => step(i, quantile)),
  );
  const all = quantiles.map((_, i) => i);
  assert.equal(scales.end('run probe', 'difference', all), Math.max(...quantiles));
  assert.equal(scales.end('run probe', 'difference', all, 0), Math.max(...quantiles) / 2, 'of a level');
  scales.learn('run probe', [step(7, 500), step(8, 0)]);
  assert.equal(scales.last('run probe'), 8);
  assert.equal(scales.end('run probe', 'difference', [...all, 7, 8]), Math.max(...quantiles), 'one wild step');
  assert.equal(scales.end('run probe', 'difference', [7]), 500, 'which is not wild by itself');
  assert.equal(scales.end('run probe', 'difference', all.slice(0, 2)), Math.max(...quantiles.slice(0, 2)), 'given up');
  assert.equal(scales.end('run probe', 'grad', all), 0);
  assert.equal(scales.end('another', 'difference', all), 0);
  scales.forget('run probe');
  assert.equal(scales.end('run probe', 'difference', all), 0);
});

test('a step has the range of its finite numbers, without the most extreme ones', () => {
  const set = readFieldSet(probe(1, 0.1));
  assert.equal(set.quantile('difference'), robustMax(set.values('difference')!));
  assert.equal(set.quantile('grad'), 0);
  const each = set.values('difference')!.length / 2;
  assert.equal(set.quantile('difference', 1), robustMax(set.values('difference')!.subarray(each)));
  const values = new Float32Array(1000).fill(1);
  values.set([500, Number.NaN, Number.POSITIVE_INFINITY]);
  assert.equal(robustMax(values), 1);
});

test('rows of steps are spread over all of them, the first and the last among them', () => {
  const steps = Array.from({ length: 100 }, (_, i) => i * 3);
  assert.deepEqual(spread(steps.slice(0, 5), 12), steps.slice(0, 5));
  const few = spread(steps, 12);
  assert.deepEqual([few.length, new Set(few).size, few[0], few.at(-1)], [12, 12, 0, 297]);
});

test('a twentieth of the scale has a colour of its own in every theme', () => {
  for (const isDark of [true, false]) {
    const table = divergingColours(isDark);
    const at = (part: number) => [...table.subarray(tableIndex(part, 1) * 3).subarray(0, 3)];
    for (const part of [-0.05, 0.05]) {
      const distance = Math.hypot(...at(part).map((value, i) => value - at(0)[i]!));
      assert.ok(distance > 30, `${isDark ? 'dark' : 'light'}: ${part} of the end is ${at(part)}, zero ${at(0)}`);
    }
  }
});

test('fields that do not have the shape of fields show nothing, and do no harm', () => {
  const tensors = [
    { name: 'x', shape: [2, 1, 2, 2], data: new Float32Array(7) },
    { name: 'muReal', shape: [9], data: new Float32Array(9) },
  ];
  const set = readFieldSet({ kind: 'training', step: 1, tensors, metadata: {} });
  assert.deepEqual([set.images, set.columns(0, 5).length, set.values('difference')], [0, 0, null]);
});

test('the colours of an order stand out from the background by 3 to 1, and get lighter step by step', () => {
  for (const [dark, background] of [
    [true, [31, 31, 31]],
    [false, [255, 255, 255]],
    [true, [0, 0, 0]],
  ] as const) {
    for (const count of [1, 2, 5, 9]) {
      const colours = Array.from({ length: count }, (_, n) => rampColour(n, count, dark).match(/\d+/g)!.map(Number));
      const lights = colours.map(luminance);
      const ground = luminance(background);
      for (const [n, light] of lights.entries()) {
        const contrast = (Math.max(light, ground) + 0.05) / (Math.min(light, ground) + 0.05);
        assert.ok(contrast >= 3, `on ${background}, ${n} of ${count}: ${colours[n]} has ${contrast}`);
        assert.ok(n === 0 || light > lights[n - 1]!);
      }
    }
  }
});

/** Relative luminance of sRGB, as WCAG 2.1 defines it. */
function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
