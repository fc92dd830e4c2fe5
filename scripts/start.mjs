// npm start: installs, builds and runs the main job on the built-in model. Arguments after `--` go to `dmd start`.
import { build } from './lib/bundle.mjs';
import { main } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { run } from './lib/process.mjs';

main(async () => {
  await ensureInstalled();
  await build();
  return run(process.execPath, ['--enable-source-maps', 'dist/dmd.js', 'start', ...process.argv.slice(2)]);
});
