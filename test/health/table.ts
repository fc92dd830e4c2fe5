/** Prints the table of docs/health.md from the recorded runs: node --import ./test/sources.mjs test/health/table.ts [--each]. */
import { readRuns } from './fixtures.ts';
import { replay } from './replay.ts';
import { sicknesses } from './seeds.ts';

const each = process.argv.includes('--each');
const alarms = (name: string, set: 'tuning' | 'test') => {
  const runs = [...readRuns('points', set), ...readRuns('images', set)].filter(([run]) => run.startsWith(name));
  const judged = runs.map(([run, recorded]) => ({ run, verdicts: replay(recorded) }));
  for (const { run, verdicts } of each ? judged : []) {
    console.log(
      `${set} ${run}: ${verdicts.map(({ rule, severity, step }) => `${rule} ${severity} ${step}`).join(', ') || '-'}`,
    );
  }
  const caught = judged.filter(({ verdicts }) => verdicts.some(({ severity }) => severity === 'alarm')).length;
  return { caught, of: judged.length, judged };
};

const rows = sicknesses.map((sickness) => {
  const [tuning, test] = [alarms(sickness, 'tuning'), alarms(sickness, 'test')];
  const rules = new Map<string, number>();
  for (const { verdicts } of test.judged) {
    for (const rule of new Set(
      verdicts.filter(({ severity }) => severity === 'alarm').map((verdict) => verdict.rule),
    )) {
      rules.set(rule, (rules.get(rule) ?? 0) + 1);
    }
  }
  const by = [...rules].sort((a, b) => b[1] - a[1]).map(([rule, count]) => `${rule} ${count}`);
  return `| ${sickness} | ${tuning.caught} of ${tuning.of} | ${test.caught} of ${test.of} | ${by.join(', ')} |`;
});
console.log('| what is wrong | alarm, runs the rules were set on | alarm, runs they were not | by which rules |');
console.log('| --- | --- | --- | --- |');
for (const row of rows) console.log(row);
