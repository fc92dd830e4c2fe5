// Runs TypeScript sources as they are, in this thread and, since threads inherit the flag, in every worker:
// `node --import ./test/sources.mjs FILE`. Node 20 cannot do it by itself.
import * as module from 'node:module';

process.setSourceMapsEnabled(true);
// Processes that inherit the flag may be started in another folder.
process.execArgv = process.execArgv.map((flag) =>
  flag.replace(/^(--import=)?\.\/test\/sources\.mjs$/, `$1${import.meta.url}`),
);
// Where Node takes them in the thread itself, no other one is started.
if (module.registerHooks) module.registerHooks(await import('./source-hooks.mjs'));
else module.register('./source-hooks.mjs', import.meta.url);
