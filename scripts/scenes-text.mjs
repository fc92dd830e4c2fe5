// Remakes the built-in text model: npm run scenes-text [-- --folder runs/scenes-text]
//
// Each run begins where it was, so this can be stopped and started again: the autoencoder, its decoder, a first teacher on
// the encoder's latents, a text encoder, lessons with all scenes after them in three rounds, the student. The folders
// teacher/ and student/ that come out are those of media/scenes-text/.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './lib/bundle.mjs';
import { main, say } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';

const { values } = parseArgs({ options: { folder: { type: 'string', default: 'runs/scenes-text' } } });
const folder = resolve(values.folder);
const [teacher, student] = [join(folder, 'teacher'), join(folder, 'student')];

main(async () => {
  await ensureInstalled();
  await build();
  const vae = join(finished('teach', 'scenes-text-vae'), 'vae');
  const decoder = finished('teach', 'scenes-text-vae-decoder', ['--half', ...set({ initial: vae })]);
  const text = join(finished('teach', 'scenes-text-encoder'), 'text');
  const first = finished('teach', 'scenes-text-first', ['--half', ...set({ vae })]);
  const places = finished(
    'teach',
    'scenes-text-places',
    set({ vae, initialText: text, initial: join(first, 'teacher') }),
  );
  const from = (run) => set({ vae, initial: join(run, 'teacher') });
  const shapes = finished('teach', 'scenes-text-shapes', from(places));
  let round = finished('teach', 'scenes-text-first-round', ['--half', ...from(shapes)]);
  for (const seed of [2, 3]) {
    const own = set({ seed, 'data.seed': seed });
    const lesson = finished('teach', 'scenes-text-shapes-again', [...from(round), ...own], `-${seed}`);
    round = finished('teach', 'scenes-text', ['--half', ...from(lesson), ...own], `-${seed}`);
  }
  replace(join(round, 'teacher'), teacher);
  replace(join(decoder, 'vae'), join(teacher, 'vae'));
  const distilled = finished('distill', 'scenes-text-student', ['--half', '--teacher', teacher]);
  replace(join(distilled, 'generator'), student);
  setBase(student, '../teacher');
  say(`Made ${teacher} and ${student}.`);
  return 0;
});

const set = (values) => Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]);

/** The folder of a preset's run, which is begun, gone on with, or there already. `round` tells its runs apart. */
function finished(command, preset, options = [], round = '') {
  const out = join(folder, preset + round);
  const [begun] = existsSync(out) ? readdirSync(out) : [];
  const state = begun && JSON.parse(readFileSync(join(out, begun, 'run.json'), 'utf8')).state;
  if (state === 'finished') return join(out, begun);
  const half = options.includes('--half') ? ['--half'] : [];
  const args = begun ? ['--resume', join(out, begun), ...half] : ['--preset', preset, '--out', out, ...options];
  say(`dmd ${command} ${args.join(' ')}`);
  execFileSync(process.execPath, ['dist/dmd.js', command, ...args], { stdio: 'inherit' });
  return join(out, readdirSync(out)[0]);
}

function replace(from, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}

function setBase(model, base) {
  const file = join(model, 'dmd.json');
  const info = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, `${JSON.stringify({ ...info, base }, null, 2)}\n`);
}
