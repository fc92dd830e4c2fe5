/** Each rule on numbers made by hand: what it says, from where on, and what it does not take for sick. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, HealthWatch } from '../../backend/health/evaluate.ts';
import { numbersOf, RecordedNumbers } from '../../backend/health/numbers.ts';
import { unjudgedRules } from '../../backend/health/rules/index.ts';
import {
  batchTags,
  curveTags,
  ganTags,
  gradientTags,
  readTags,
  sampleTags,
  stateTags,
} from '../../backend/health/tags.ts';
import { uniform } from '../random.ts';

type Values = readonly number[];
const range = (count: number, of: (i: number) => number): Values => Array.from({ length: count }, (_, i) => of(i));

/** A value every 10 steps. */
const recorded = (curves: Readonly<Record<string, Values>>): RecordedNumbers =>
  numbersOf(
    Object.entries(curves).map(([tag, values]) => ({ tag, values, steps: range(values.length, (i) => 10 * (i + 1)) })),
  );

const found = (curves: Readonly<Record<string, Values>>) =>
  evaluate(recorded(curves)).map(({ rule, severity, step }) => `${rule} ${severity} ${step}`);

const noisy = (value: number) => value * (0.97 + 0.06 * uniform());

test('the fake score: worse than the teacher on fresh samples, frozen, updated too seldom, left behind, swinging', () => {
  const teacher = range(12, () => noisy(0.6));
  const fresh = (factor: number) => ({
    [sampleTags.freshTeacher]: teacher,
    [sampleTags.freshFake]: teacher.map((loss) => factor * loss),
  });
  assert.deepEqual(found(fresh(1.1)), []);
  assert.deepEqual(found(fresh(1.5)), ['fake-score-lags alarm 120']);
  const known = (values: Values) => ({ ...fresh(1), [sampleTags.knownFake]: values });
  assert.deepEqual(found(known(range(12, (i) => (i < 7 ? noisy(0.7) : 0.7)))), ['fake-score-lags alarm 120']);
  assert.deepEqual(found(known(range(12, () => noisy(0.7)))), []);
  const updates = (fake: number) => ({
    [stateTags.updatesGenerator]: range(5, (i) => 10 * (i + 1)),
    [stateTags.updatesFake]: range(5, (i) => fake * (i + 1)),
  });
  assert.deepEqual(found(updates(1)), ['fake-score-lags alarm 50']);
  assert.deepEqual(found(updates(50)), []); // five per generator update
  const surge = range(100, (i) => (i >= 90 ? 9 : noisy(1)));
  assert.deepEqual(found({ [curveTags.normFake]: surge }), ['fake-score-lags alarm 1000']);
  const swings = range(20, (i) => [0.4, 0.6, 0.9, 0.6][i % 4]!);
  assert.deepEqual(found({ [sampleTags.freshFake]: swings }), ['fake-score-oscillates alarm 200']);
  assert.deepEqual(found({ [sampleTags.freshFake]: range(20, (i) => 1 - 0.04 * i) }), []);
});

test('a discriminator that wins outright: right of all images while the generator is never believed', () => {
  const told = (right: number, loss: number) => ({
    [ganTags.right]: range(60, () => Math.min(1, right * (0.995 + 0.01 * uniform()))),
    [ganTags.lossGan]: range(60, () => noisy(loss)),
  });
  assert.deepEqual(found(told(1, 9)), ['discriminator-wins alarm 600']);
  assert.deepEqual(found(told(1, 2)), [], 'it is right, but not by much');
  assert.deepEqual(found(told(0.8, 9)), [], 'it is often wrong');
  const few = Object.entries(told(1, 9)).map(([tag, values]) => [tag, values.slice(0, 20)]);
  assert.deepEqual(found(Object.fromEntries(few)), [], 'too early to say');
});

test('the gradient: of the wrong scale, of one level, dead, mostly noise', () => {
  assert.deepEqual(found({ [batchTags.gradientMisfit]: range(6, () => 1.001) }), []);
  assert.deepEqual(
    found({ [batchTags.gradientMisfit]: range(6, () => 100), [batchTags.gradientScale]: range(6, () => 100) }),
    ['gradient-scale alarm 60'],
  );
  assert.deepEqual(found({ [batchTags.levels]: range(6, () => 0) }), ['noise-levels alarm 60']);
  assert.deepEqual(found({ [batchTags.levels]: range(6, () => noisy(0.9)) }), []);
  assert.deepEqual(found({ [batchTags.difference]: range(12, () => 0) }), ['dead-gradient alarm 120']);
  assert.deepEqual(found({ [batchTags.difference]: range(5, () => 0) }), [], 'the first iterations of any run');
  assert.deepEqual(found({ [curveTags.normGenerator]: range(300, (i) => (i < 200 ? noisy(2) : 1e-9)) }), [
    'dead-gradient alarm 3000',
  ]);
  const noise = (signal: number) => ({
    [gradientTags.signal]: range(40, () => signal),
    [gradientTags.noise]: range(40, () => 1),
  });
  assert.deepEqual(found(noise(0.5)), []);
  assert.deepEqual(found(noise(1e-4)), ['batch-too-small warning 400']);
});

test('the samples: collapsed, collapsing, saturated, past their peak; a generator that begins narrow is well', () => {
  const diversity = (values: Values) => found({ [sampleTags.diversity]: values });
  assert.deepEqual(diversity(range(20, () => noisy(0.2))), ['collapse alarm 200']);
  const narrow = { [sampleTags.diversity]: range(20, () => noisy(0.2)) };
  const advised = (curves: typeof narrow) => evaluate(recorded(curves))[0]!.advice;
  assert.match(advised(narrow), /^Add regression on pairs \(method dmd\) or update the fake score more often/);
  const held = { ...narrow, [curveTags.lossRegression]: range(20, () => noisy(0.1)) };
  assert.match(advised(held), /^Raise the regression's weight/);
  assert.deepEqual(diversity(range(20, (i) => (i < 10 ? noisy(0.9) : noisy(0.4)))), ['collapse alarm 200']);
  assert.deepEqual(diversity(range(20, (i) => 0.1 + 0.02 * i)), []);
  assert.deepEqual(diversity(range(20, () => 0.1)), [], 'a generator that rests');
  const drift = (contrast: number, beyond: number) =>
    found({ [sampleTags.contrast]: range(4, () => contrast), [sampleTags.beyond]: range(4, () => beyond) });
  assert.deepEqual(drift(1.1, 0.02), []);
  assert.deepEqual(drift(1.5, 0.02), ['saturation alarm 40']);
  assert.deepEqual(drift(1.1, 0.3), ['saturation alarm 40']);
  const distance = (values: Values) => evaluate(recorded({ [sampleTags.distance]: values }));
  assert.deepEqual(distance(range(20, (i) => 0.5 / (i + 1))), []);
  const [verdict] = distance(range(20, (i) => 0.1 + 0.05 * Math.abs(i - 8)));
  assert.equal(verdict?.rule, 'past-peak');
  assert.match(verdict.statement, /The best checkpoint was step 90\./);
});

test('the training: NaN, a jump, residuals that part, an optimizer that begins anew', () => {
  assert.deepEqual(found({ [curveTags.lossFake]: [...range(20, () => noisy(1)), Number.NaN] }), [
    'diverging alarm 210',
  ]);
  assert.deepEqual(found({ [curveTags.lossConsistency]: [noisy(1), Number.POSITIVE_INFINITY] }), [
    'diverging alarm 20',
  ]);
  assert.deepEqual(found({ [curveTags.lossMatching]: [noisy(1), 1e9, ...range(20, () => noisy(1))] }), [
    'diverging alarm 20',
  ]);
  assert.deepEqual(found({ [curveTags.lossFake]: range(60, (i) => (i < 30 ? noisy(1) : noisy(20))) }), [
    'diverging alarm 600',
  ]);
  const residuals = (ratio: (i: number) => number) =>
    found({
      [curveTags.residualReal]: range(60, (i) => 0.1 * ratio(i)),
      [curveTags.residualFake]: range(60, () => 0.1),
    });
  assert.deepEqual(
    residuals(() => noisy(1)),
    [],
  );
  assert.deepEqual(
    residuals((i) => 1 + 0.1 * i),
    ['residuals-apart alarm 600'],
  );
  assert.deepEqual(
    residuals((i) => 5 / (1 + 0.1 * i)),
    [],
    'what begins apart and comes together',
  );
  assert.deepEqual(found({ [stateTags.updatesGenerator]: [10, 20, 30, 5, 15] }), ['optimizer-state alarm 40']);
  assert.deepEqual(found({ [stateTags.updatesGenerator]: [10, 20, 30, 40, 50] }), []);
});

test('nothing recorded: nothing said, and every rule named as not judged', () => {
  assert.deepEqual(evaluate(new RecordedNumbers()), []);
  assert.equal(unjudgedRules(new RecordedNumbers()).length, 13);
  assert.deepEqual(unjudgedRules(recorded(Object.fromEntries(readTags.map((tag) => [tag, [1]])))), []);
});

test('long runs keep 1024 entries per curve, averaged alike whether told at once or one by one', () => {
  const values = range(5000, () => Math.fround(uniform()));
  const [once, slowly] = [recorded({ 'loss/fake': values }), new RecordedNumbers()];
  for (const [i, value] of values.entries()) slowly.add(10 * (i + 1), { 'loss/fake': value });
  const curve = once.curve('loss/fake');
  assert.ok(curve.length <= 1024 && curve.length > 500);
  assert.deepEqual(slowly.curve('loss/fake'), curve);
  assert.equal(curve.at(-1)!.step, 50_000);
  const mean = (all: Values) => all.reduce((sum, value) => sum + value, 0) / all.length;
  assert.ok(Math.abs(mean(curve.slice(0, -1).map(({ value }) => value)) - mean(values)) < 0.01);
});

test('a watch records a verdict once in words, and its curve from then on', () => {
  const watch = new HealthWatch();
  const levels = (step: number, value: number) => watch.add(step, { [batchTags.levels]: value });
  assert.deepEqual(watch.look(), { verdicts: [], scalars: {}, texts: {} });
  for (const step of [1, 2, 3, 4, 5]) levels(step, 0);
  const first = watch.look();
  assert.deepEqual(first.scalars, { 'health/noise-levels': 2 });
  assert.match(first.texts['health/noise-levels']!, /^\*\*alarm\*\* All samples of a batch have the same noise level/);
  assert.deepEqual(watch.look().texts, {});
  for (const step of [6, 7, 8, 9, 10, 11]) levels(step, 1);
  const over = watch.look();
  assert.deepEqual(
    [over.scalars, over.texts],
    [{ 'health/noise-levels': 0 }, { 'health/noise-levels': 'No longer so.' }],
  );
});
