/** onnxruntime-node must not start its telemetry thread; it would look up a host name at every session. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const script = `
  const { readdirSync } = await import('node:fs');
  if (process.argv[1]) await import(process.argv[1]);
  const ort = await import('onnxruntime-node');
  const before = readdirSync('/proc/self/task').length;
  await ort.InferenceSession.create(new Uint8Array([8])).catch(() => {});
  const started = () => readdirSync('/proc/self/task').length > before;
  for (let waited = 0; waited < 2000 && !started(); waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(readdirSync('/proc/self/task').length - before);
`;

function threadsStarted(...modules: string[]): number {
  // Nothing else of the environment: the library reports nothing from machines whose variables say CI.
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME };
  const flags = ['--import', 'tsx', '--input-type=module', '-e', script, ...modules];
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', env });
  assert.match(stdout, /^-?\d+\n$/, stderr);
  return Number(stdout);
}

test('opening a session starts no telemetry thread', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  const module = new URL('../../backend/engine/onnxruntime/no-telemetry.ts', import.meta.url).href;
  assert.equal(threadsStarted(), 1, 'without the switch there is one: the test can see it');
  assert.equal(threadsStarted(module), 0);
});
