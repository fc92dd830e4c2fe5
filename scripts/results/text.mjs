// The built-in text pair on prompts of combinations that training never showed. Students differ in the seed and in what is
// named below, nothing else; they share the teacher's pairs. The shipped one had the same config and more iterations.
import { join } from 'node:path';
import { cell, distilled, dmd, eventOf, once } from './common.mjs';

const teacher = 'builtin:scenes-text/teacher';
const prompts = 500;
const parts = ['colours', 'shapes', 'places'];

/** Name -> options of the teacher's sampler. */
const samplers = {
  'teacher, DDIM, 50 steps': ['--scheduler', 'ddim', '--steps', '50'],
  'teacher, DDIM, 4 steps': ['--scheduler', 'ddim', '--steps', '4'],
  'teacher, DPM-Solver++, 4 steps': ['--scheduler', 'dpm', '--steps', '4'],
  'teacher, UniPC, 4 steps': ['--scheduler', 'unipc', '--steps', '4'],
};

/** Name -> changes of media/scenes-text/student.dmd.json. */
const variants = {
  'DMD student': [],
  'without distribution matching': ['matching.enabled=false'],
  'without regression': ['regression.enabled=false'],
};

export function textTable({ folder, seeds, iterations, pairs: count }) {
  const pairs = join(folder, 'pairs');
  const job = ['--prompts', 'scenes', '--guidance', '3', '--steps', '25', '--count', String(count)];
  dmd(['pairs', teacher, '--out', pairs, ...job]);
  const row = (name, make) => {
    const scores = seeds.map((seed) => once(folder, `${name}-${seed}`, () => make(seed)));
    const share = (of) =>
      `${cell(
        scores.map((score) => 100 * of(score)),
        1,
      )} %`;
    const shares = [
      ({ right }) => right,
      ...parts.map(
        (part) =>
          ({ rightParts }) =>
            rightParts[part],
      ),
    ].map(share);
    const distances = scores.map(({ distance }) => distance);
    return `| ${name} | ${scores[0].calls} | ${shares.join(' | ')} | ${cell(distances, 1)} |`;
  };
  return [
    '| model | calls | right | colours | shapes | places | FD (scenes features) |\n| --- | --- | --- | --- | --- | --- | --- |',
    ...Object.entries(samplers).map(([name, options]) => row(name, (seed) => evaluate(teacher, seed, options))),
    row('shipped student', (seed) => evaluate('builtin:scenes-text', seed)),
    ...Object.entries(variants).map(([name, changes]) =>
      row(name, (seed) => {
        const run = distilled({ folder, name, preset: 'scenes-text-student', pairs, changes, seed, iterations });
        return evaluate(join(run, 'generator'), seed);
      }),
    ),
  ];
}

function evaluate(model, seed, options = []) {
  const first = ['--seed', String(100_000 * seed), '--count', String(prompts)];
  return eventOf('eval', ['eval', model, ...first, ...options]);
}
