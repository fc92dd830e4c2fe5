/** The playground's arithmetic without a page: what samples do in words, strokes as modes, settings as changes of a config. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleMixture } from '../../backend/data/mixture.ts';
import { applyOverrides } from '../../backend/protocol/config/index.ts';
import {
  changedAssignments,
  lossAssignments,
  settingsAssignments,
  settingsOfConfig,
} from '../../backend/protocol/panels/playground-settings.ts';
import { stream } from '../../backend/random/stream.ts';
import { presetConfig } from '../../backend/runs/presets.ts';
import { fitStroke } from '../../webview/playground/fit.ts';
import { frameOf, toCanvas, toPlane } from '../../webview/playground/frame.ts';
import { noiseAt, noisePart } from '../../webview/playground/noise.ts';
import { relativeError, summaryOf, verdictOf } from '../../webview/playground/summary.ts';
import {
  alongStroke,
  mostModes,
  nameOf,
  targets,
  withModes,
  withoutNearest,
} from '../../webview/playground/targets.ts';
import { uniform } from '../random.ts';

const two = targets.two;
const draw = (modes: number[][], std: number) => sampleMixture({ modes, std }, stream(uniform(), 'samples'), 500);
const verdict = (samples: Float32Array) => verdictOf(summaryOf(samples, two));

test('samples are told apart as Figure 3 does', () => {
  const [left, right] = two.modes as number[][];
  assert.equal(verdict(draw([left!], 0.1 * two.std)), 'peak');
  assert.equal(verdict(draw([left!], two.std)), 'one');
  assert.equal(verdict(draw([left!, right!], two.std)), 'all');
  assert.equal(verdict(draw([two.start.centre], two.start.std)), 'none');
  const { near, covered, spread } = summaryOf(draw([right!], two.std), two);
  assert.ok(near > 0.99 && covered === 1 && Math.abs(spread - 1) < 0.15, `${near} ${covered} ${spread}`);
});

test('a stroke becomes modes one width apart, and no more than can be', () => {
  const modes = alongStroke(
    [[0, 0]],
    [
      [0, 0],
      [1, 0],
    ],
    0.1,
  );
  assert.ok(modes.length >= 9 && modes.length <= 11, `${modes.length}`);
  assert.deepEqual(alongStroke(modes, [[0.5, 0.01]], 0.1), modes, 'what is there is not placed twice');
  const many = alongStroke(
    [],
    Array.from({ length: 400 }, (_, i) => [i, 0] as const),
    0.5,
  );
  assert.equal(many.length, mostModes);
  const target = { ...two, modes: [[0, 0] as [number, number], [1, 1] as [number, number]] };
  assert.deepEqual(withoutNearest(target, [0.9, 0.8]).modes, [[0, 0]]);
  const wide = withModes(target, [...target.modes, [2, 2]], [0.3]);
  assert.deepEqual(wide.stds, [two.std, two.std, 0.3]);
  assert.deepEqual(withoutNearest(wide, [0.9, 0.8]).stds, [two.std, 0.3]);
  assert.deepEqual(withModes(wide, [...wide.modes, [3, 3]]).stds, [two.std, two.std, 0.3, two.std]);
  assert.equal(nameOf({ ...two, stds: [0.1, 0.1] }), 'drawn');
});

/** Points all over a disc, as a person blackens it: back and forth. */
const scribbled = ([x, y]: readonly [number, number], radius: number): [number, number][] =>
  Array.from({ length: 21 }, (_, i) => {
    const up = (2 * i) / 20 - 1;
    const half = Math.sqrt(1 - up * up);
    return [x + radius * half * (i % 2 === 0 ? 1 : -1), y + radius * up];
  });

test('modes are fitted to a drawing: a line is a band as wide as the brush, a blot one wide mode', () => {
  const brush = 0.05;
  const line = fitStroke(
    [
      [-1, 0.2],
      [1, 0.2],
    ],
    brush,
    mostModes,
  );
  assert.ok(line.modes.length >= 8 && line.modes.length <= 25, `${line.modes.length} modes along 40 widths`);
  for (const [k, std] of line.stds.entries()) {
    assert.ok(std >= brush && std < 2 * brush, `a line is not ${std} wide`);
    assert.ok(Math.abs(line.modes[k]![1] - 0.2) < 0.01);
  }
  // No gaps: every point of the line is within two widths of a mode.
  for (let x = -1; x <= 1; x += 0.05) {
    const near = line.modes.some(([at], k) => Math.abs(at - x) < 2 * line.stds[k]!);
    assert.ok(near, `nothing at ${x}`);
  }

  // Each coordinate of a disc's points has the variance of a quarter of the squared radius.
  const centre = [uniform() - 0.5, uniform() - 0.5] as const;
  const [small, large] = [0.15, 0.3].map((radius) => fitStroke(scribbled(centre, radius), brush, 1));
  for (const [fit, radius] of [
    [small!, 0.15],
    [large!, 0.3],
  ] as const) {
    const expected = Math.sqrt(radius ** 2 / 4 + brush ** 2);
    assert.ok(Math.abs(fit.stds[0]! / expected - 1) < 0.2, `${fit.stds[0]} where ${expected} should be`);
    assert.ok(Math.hypot(fit.modes[0]![0] - centre[0], fit.modes[0]![1] - centre[1]) < 0.1 * radius);
  }
  const blot = fitStroke(scribbled(centre, 0.08), brush, mostModes);
  assert.ok(blot.modes.length < 6 && Math.min(...blot.stds) >= brush, `${blot.modes.length} modes of a blot`);
  assert.deepEqual(fitStroke([[0.3, 0.4]], brush, 9), { modes: [[0.3, 0.4]], stds: [brush] });
});

test('settings go into a config and come back from it; only what differs is changed', () => {
  const settings = {
    ...{ name: 'ring', target: targets.ring, seed: 7 },
    losses: {
      loss: 'regression',
      weight: 'sigma/alpha',
      lambda: 2,
      generatorRate: 0.002,
      fakeRate: 0.004,
      sigmaMax: 1,
    },
  } as const;
  const config = applyOverrides(presetConfig('distill', 'figure-3', '/'), settingsAssignments(settings));
  assert.equal(config.name, 'playground-ring');
  const { name, ...rest } = settings;
  assert.deepEqual(settingsOfConfig(config), rest);
  assert.equal(settingsOfConfig({ ...config, mixture: undefined }), undefined);
  const stds = targets.ring.modes.map((_, i) => 0.01 * (i + 1));
  const fitted = { ...settings, target: { ...targets.ring, stds } };
  const wide = applyOverrides(presetConfig('distill', 'figure-3', '/'), settingsAssignments(fitted));
  assert.deepEqual(settingsOfConfig(wide)!.target, fitted.target);
  const other = { ...settings.losses, loss: 'real', lambda: 3 } as const;
  assert.deepEqual(changedAssignments(settings.losses, other).sort(), [
    'matching.realOnly=true',
    'regression.enabled=false',
    'regression.lambda=3',
  ]);
  assert.deepEqual(changedAssignments(other, other), []);
  assert.equal(Object.keys(lossAssignments(other)).length, 7);
});

test('targets have names, their frame shows them, and the plane and the canvas agree', () => {
  for (const [name, target] of Object.entries(targets)) {
    assert.equal(nameOf(target), name);
    const frame = frameOf(target, 300, 500);
    for (const mode of target.modes) {
      const [x, y] = toCanvas(frame, mode as [number, number], 300, 500);
      assert.ok(x > 0 && x < 300 && y > 0 && y < 500);
      const back = toPlane(frame, [x, y], 300, 500);
      assert.ok(Math.hypot(back[0] - mode[0]!, back[1] - mode[1]!) < 1e-9);
    }
  }
  assert.equal(nameOf({ ...two, modes: [[0, 0]] }), 'drawn');
  for (const part of [0, 0.3, 1]) assert.ok(Math.abs(noisePart(noiseAt(part)) - part) < 1e-2);
});

test('an error of scores counts where the density is', () => {
  const exact = Float32Array.from([3, 4, 3, 4]);
  const score = Float32Array.from([3, 4, 0, 0]);
  assert.equal(
    relativeError(score, exact, () => 1),
    0.5,
  );
  assert.equal(
    relativeError(score, exact, (cell) => (cell === 0 ? 1 : 0)),
    0,
  );
});
