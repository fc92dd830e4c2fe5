// npm run build: bundles the `dmd` command and the extension into dist/.
import { build } from './lib/bundle.mjs';
import { main } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';

main(async () => {
  await ensureInstalled();
  await build();
});
