// Runs TypeScript sources as they are, in this thread and, since threads inherit the flag, in every worker:
// `node --import ./test/sources.mjs FILE`. Node 20 cannot do it by itself.
import * as module from 'node:module';

process.setSourceMapsEnabled(true);
// Where Node takes them in the thread itself, no other one is started.
if (module.registerHooks) module.registerHooks(await import('./source-hooks.mjs'));
else module.register('./source-hooks.mjs', import.meta.url);
