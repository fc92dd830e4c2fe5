// node scripts/install.mjs: installs the locked npm packages if they are not there yet.
import { main } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';

main(ensureInstalled);
