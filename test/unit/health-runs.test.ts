/** The rules against runs that were recorded sick and well (test/health/): those they were set on, and others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '../../backend/health/verdict.ts';
import { readRuns } from '../health/fixtures.ts';
import type { RecordedRun } from '../health/recorded-run.ts';
import { replay } from '../health/replay.ts';
import { sicknesses } from '../health/seeds.ts';

const families = ['points', 'images'];
const isAlarm = ({ severity }: Verdict) => severity === 'alarm';

function runsOf(sickness: string, set: string): [string, RecordedRun][] {
  return families.flatMap((family) => readRuns(family, set)).filter(([name]) => name.startsWith(sickness));
}

/** What rules that count the fake score's updates would have it easy with. */
const withoutUpdates = (run: RecordedRun): RecordedRun =>
  Object.fromEntries(Object.entries(run).filter(([tag]) => !tag.startsWith('vitals/updates')));

for (const sickness of sicknesses.filter((name) => name !== 'well')) {
  test(`${sickness}: an alarm in at least four runs of five, of seeds the rules were not set on`, () => {
    const runs = runsOf(sickness, 'test');
    assert.ok(runs.length >= 5, `${runs.length} runs are recorded`);
    const missed = runs.filter(([, run]) => !replay(run).some(isAlarm)).map(([name]) => name);
    assert.ok(missed.length <= 0.2 * runs.length, `missed: ${missed.join(', ')}`);
  });
}

test('well runs: no alarm and no warning, at no time', () => {
  const runs = [...runsOf('well', 'tuning'), ...runsOf('well', 'test'), ...readRuns('healthy', 'whole')];
  assert.ok(runs.length >= 14, `${runs.length} runs are recorded`);
  for (const [name, run] of runs) assert.deepEqual(replay(run), [], name);
});

test('a slow fake score is found by what it does, without counting its updates', () => {
  const runs = readRuns('points', 'test').filter(([name]) => name.startsWith('fake score'));
  assert.ok(runs.length >= 10, `${runs.length} runs are recorded`);
  const missed = runs.filter(([, run]) => !replay(withoutUpdates(run)).some(isAlarm)).map(([name]) => name);
  assert.ok(missed.length <= 0.2 * runs.length, `missed: ${missed.join(', ')}`);
});

test('the run without regression of docs/results.md raises an alarm, and names its best checkpoint', () => {
  const [run] = readRuns('without-regression', 'whole').map(([, recorded]) => recorded);
  const alarms = replay(run!).filter(isAlarm);
  assert.ok(
    alarms.some(({ rule }) => rule === 'collapse'),
    JSON.stringify(alarms),
  );
  assert.match(alarms.find(({ rule }) => rule === 'past-peak')!.statement, /The best checkpoint was step 20\./);
});

test('every statement has numbers, and every verdict says what to do', () => {
  for (const [name, run] of runsOf('', 'test')) {
    for (const { statement, advice, rule } of replay(run)) {
      assert.match(statement, /\d/, `${name}: ${rule}`);
      assert.doesNotMatch(`${statement}${advice}`, /NaN(?! or)|undefined|Infinity/, `${name}: ${rule}`);
      assert.match(advice, /\.$/, `${name}: ${rule}`);
    }
  }
});
