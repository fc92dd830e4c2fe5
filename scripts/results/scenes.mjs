// The built-in pair on "scenes". Every variant starts from the same teacher and sees the same pairs, for the same number of
// iterations; what differs is named below and nothing else. The weight of the regression falls as in
// media/scenes/generator.dmd.json, over the same parts of a run that may be shorter.
import { join } from 'node:path';
import { cell, distilled, dmd, eventOf, once } from './common.mjs';

/** Name -> changes of media/scenes/generator.dmd.json. */
const variants = {
  'DMD (eq8)': [],
  'without distribution matching': ['matching.enabled=false'],
  'without regression': ['regression.enabled=false'],
  'weight sigma/alpha': ['matching.weight="sigma/alpha"'],
  'weight sigma^3/alpha': ['matching.weight="sigma^3/alpha"'],
};

/** Pictures of which the distance is taken, and which the checker looks at. */
const count = 1000;

export function scenesTable({ folder, seeds, iterations, pairs: made }) {
  const pairs = join(folder, 'pairs');
  dmd(['pairs', 'builtin:scenes/teacher', '--out', pairs, '--count', String(made), '--threads', '1']);
  const row = (name, make) => {
    const scores = seeds.map((seed) => once(folder, `${name}-${seed}`, () => make(seed)));
    const distances = scores.map(({ distance }) => distance);
    const accepted = scores.map((result) => 100 * result.accepted);
    return `| ${name} | ${scores[0].calls} | ${cell(distances, 2)} | ${cell(accepted, 1)} % |`;
  };
  return [
    `| model | calls | FD (scenes features, ${count}) | accepted (of ${count}) |\n| --- | --- | --- | --- |`,
    row('teacher, 18 Heun steps', (seed) => score('builtin:scenes/teacher', seed)),
    row('generator at its start (the teacher called once)', (seed) => score('builtin:scenes/teacher', seed, 1)),
    row('shipped generator', (seed) => score('builtin:scenes/generator', seed)),
    ...Object.entries(variants).map(([name, changes]) =>
      row(name, (seed) => {
        const lambda = [
          [0.3 * iterations, 20],
          [0.7 * iterations, 5],
        ];
        const all = [`schedules.lambda=${JSON.stringify(lambda)}`, ...changes];
        const run = distilled({ folder, name, preset: 'scenes', pairs, changes: all, seed, iterations });
        return score(join(run, 'generator.safetensors'), seed);
      }),
    ),
  ];
}

function score(model, seed, steps) {
  const extra = steps ? ['--steps', String(steps)] : [];
  const pictures = ['--seed', String(100_000 * seed), '--count', String(count), '--checked', String(count)];
  return eventOf('score', ['score', model, ...pictures, '--threads', '1', ...extra]);
}
