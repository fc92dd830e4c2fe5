// npm run bench: runs test/bench/*.bench.ts one after the other, each in a process of its own so that none warms up the
// next. Words after `--` choose benches by path; other arguments starting with `-` go to them.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build, bundleProgram } from './lib/bundle.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { root, run, sourceLoader } from './lib/process.mjs';

main(async () => {
  await ensureInstalled();
  await build();
  const args = process.argv.slice(2);
  const words = args.filter((arg) => !arg.startsWith('-'));
  const names = (await readdir(join(root, 'test/bench'))).filter((name) => name.endsWith('.bench.ts')).sort();
  const chosen = names.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (chosen.length === 0) throw new Failure(`no bench matches ${words.join(' ') || 'test/bench/*.bench.ts'}.`);

  // This project's side of a row, as it is shipped: one script. Below node_modules it finds what is not bundled.
  const entryPoints = { ours: 'test/bench/table/ours.ts' };
  if (chosen.some((name) => /^(table|guard)\./.test(name))) {
    await bundleProgram({ entryPoints, folder: join(root, 'node_modules/.cache/dmd-bench') });
  }

  let failed = 0;
  for (const name of chosen) {
    say(`\n${name}`);
    const flags = args.filter((arg) => arg.startsWith('-'));
    // Benches of memory let go of what a case was made of before they measure.
    const status = await run(process.execPath, [
      '--expose-gc',
      '--import',
      sourceLoader,
      join('test/bench', name),
      ...flags,
    ]);
    if (status !== 0) failed++;
  }
  return failed > 0 ? 1 : 0;
});
