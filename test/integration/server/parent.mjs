// An editor to be killed: starts a backend and tells its pid. `busy`: the backend's main thread computes without end.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [what] = process.argv.slice(2);
const script = what === 'busy' ? './busy.mjs' : '../../../dist/server.js';
const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
  serialization: 'advanced',
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
});
child.once('message', () => process.send(child.pid));
child.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: 1 } });
