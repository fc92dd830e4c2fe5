/** The eyes of the port and orphan checks: they see what they are there to see. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { descendants, isAlive, listeningPorts } from './processes.ts';
import { until } from './until.ts';

const skip = process.platform === 'linux' ? false : 'reads /proc';

/** Starts a program that prints something once it is ready, and resolves to it and to what it printed. */
async function start(t: TestContext, source: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

const listen = (address: string) =>
  `const s = require('net').createServer().listen(${address}, () => console.log(s.address().port ?? 'ready'));`;

for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
  test(`a port that a process listens on at ${host} is seen`, { skip }, async (t) => {
    const { child, said } = await start(t, listen(`0, ${JSON.stringify(host)}`));
    assert.deepEqual(listeningPorts(child.pid!), [Number(said)]);
  });
}

test('a socket for datagrams is seen, one in the file system and an outgoing connection are not', {
  skip,
}, async (t) => {
  const udp = await start(
    t,
    `const s = require('dgram').createSocket('udp4').bind(0, () => console.log(s.address().port));`,
  );
  assert.deepEqual(listeningPorts(udp.child.pid!), [Number(udp.said)]);

  const folder = mkdtempSync(join(tmpdir(), 'dmd-socket-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const unix = await start(t, listen(JSON.stringify(join(folder, 's'))));
  assert.deepEqual(listeningPorts(unix.child.pid!), []);

  const server = await start(t, listen('0'));
  const client = await start(t, `require('net').connect(${server.said}, () => console.log('connected'));`);
  assert.deepEqual(listeningPorts(client.child.pid!), []);
});

test('descendants are found, and a killed process is gone', { skip }, async (t) => {
  const grandchild = `require('child_process').spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], { stdio: 'inherit' });`;
  const { child } = await start(t, grandchild);
  const [found, ...more] = descendants(child.pid!);
  assert.equal(more.length, 0);
  assert.match(found!.command, /setInterval/);
  assert.ok(isAlive(found!.pid));
  process.kill(found!.pid, 'SIGKILL');
  await until('the process to be gone', () => !isAlive(found!.pid), 5);
});
