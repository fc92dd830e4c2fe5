/** onnxruntime-node must not start its telemetry thread; it would look up a host name at every session. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { sourceLoader } from '../loader.ts';

const script = `
  const { readdirSync } = await import('node:fs');
  const { readFile } = await import('node:fs/promises');
  if (process.argv[1]) await import(process.argv[1]);
  const ort = await import('onnxruntime-node');
  // Node's own pool of threads comes with the first work for it: let it be there before anybody counts.
  await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/self/stat')));
  const before = new Set(readdirSync('/proc/self/task'));
  await ort.InferenceSession.create(new Uint8Array([8])).catch(() => {});
  const started = () => readdirSync('/proc/self/task').filter((id) => !before.has(id)).length;
  for (let waited = 0; waited < 2000 && started() === 0; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(started());
`;

function threadsStarted(...modules: string[]): number {
  // Nothing else of the environment: the library reports nothing from machines whose variables say CI.
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME };
  const flags = ['--import', sourceLoader, '--input-type=module', '-e', script, ...modules];
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', env });
  assert.match(stdout, /^\d+\n$/, stderr);
  return Number(stdout);
}

test('opening a session starts no telemetry thread', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  const module = new URL('../../backend/engine/onnxruntime/no-telemetry.ts', import.meta.url).href;
  assert.ok(threadsStarted() > 0, 'without the switch there is one, which may start others: the test can see it');
  assert.equal(threadsStarted(module), 0);
});
