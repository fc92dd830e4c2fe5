/** The built backend as a process: how fast it is up, and that it ends when it should, whatever it is doing. */
import assert from 'node:assert/strict';
import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { checkConfig, generateImages, ping, readPngSettings, shutdown } from '../../backend/protocol/rpc/index.ts';
import { limitHere } from '../machine-speed.ts';
import { startBackend } from '../unit/server/connect.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./server/${name}`, import.meta.url));
const script = fileURLToPath(new URL('../../dist/server.js', import.meta.url));
const unixOnly = { skip: process.platform === 'win32' && 'needs Unix' };
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-backend-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Waits for the end of a process that is nobody's child here. @returns milliseconds */
async function gone(pid: number, limitMs: number): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < limitMs) {
    if (!isAlive(pid)) return performance.now() - start;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.kill(pid, 'SIGKILL');
  assert.fail(`process ${pid} was still there after ${limitMs} ms`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has ended; only its parent has not asked yet.
    if (process.platform !== 'linux') return true;
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('it is up in under a second', async (context) => {
  const starts: { wall: number; cpu: number }[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    const { client, child, exited } = await startBackend();
    starts.push({ wall: performance.now() - start, cpu: processorMs(child.pid!) });
    await client.request(shutdown, {});
    await exited;
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[1]!;
  const [wall, cpu] = [median(starts.map((start) => start.wall)), median(starts.map((start) => start.cpu))];
  context.diagnostic(`start to initialized: median ${wall.toFixed(0)} ms, of which it computed ${cpu.toFixed(0)} ms`);
  const limit = limitHere(1000);
  assert.ok(cpu < limit, `${cpu} ms of ${limit.toFixed(0)}`);
  // What it waits for is the machine's business where others use it too.
  const isBusy = os.loadavg()[0]! > os.availableParallelism() / 2;
  assert.ok(isBusy || wall < limit, `${wall} ms of ${limit.toFixed(0)}`);
});

/** The processor time of another process, its threads together; 0 where nobody tells. */
function processorMs(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return (user + system) * 10; // in hundredths of a second
}

test('shutdown is answered, then it ends', async () => {
  const { client, exited, stderr } = await startBackend();
  assert.equal(await client.request(shutdown, {}), null);
  assert.deepEqual(await exited, [0, null]);
  assert.equal(stderr(), '');
});

test('SIGTERM ends it in order', unixOnly, async () => {
  const { child, exited } = await startBackend();
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

test('the end of the channel ends it within a second, in the middle of a request', async () => {
  const { client, child, exited } = await startBackend();
  const settings = { model: 'builtin:scenes', seeds: [1, 2, 3], classes: null, prompt: null, steps: 1, device: 'cpu' };
  client.request(generateImages, { id: 'x', settings, metadata: false }).catch(() => {});
  await client.request(ping, {});
  const start = performance.now();
  child.disconnect();
  assert.deepEqual(await exited, [0, null]);
  const ms = performance.now() - start;
  assert.ok(ms < limitHere(1000), `${ms} ms`);
});

for (const what of ['idle', 'busy'] as const) {
  test(`kill -9 of the editor ends an ${what} backend within a second`, async () => {
    const parent = fork(fixture('parent.mjs'), [what], { execArgv: [], serialization: 'advanced' });
    const [pid] = (await once(parent, 'message')) as [number];
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const limit = limitHere(1500);
    await gone(pid, limit + 500).then((ms) => assert.ok(ms < limit, `${ms} ms`));
  });
}

const garbage = {
  'a frame whose content is no value': framed(Buffer.from([255, 255, 255, 255])),
  'bytes without a frame': Buffer.from(`GET / HTTP/1.1\r\n\r\n${'x'.repeat(1000)}`),
};

/** As Node has it on the channel: the length, then the value. */
function framed(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

for (const [what, bytes] of Object.entries(garbage)) {
  for (const when of ['before it listens', 'while it listens']) {
    test(`${what} on the channel ${when}: it ends`, unixOnly, async () => {
      // As fork() has it, but the channel is ours to write on.
      const env = { ...process.env, NODE_CHANNEL_FD: '3', NODE_CHANNEL_SERIALIZATION_MODE: 'advanced' };
      const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
      const channel = child.stdio[3] as Duplex;
      let stderr = '';
      child.stderr!.on('data', (text) => {
        stderr += text;
      });
      channel.on('error', () => {}); // it may end before it has read everything
      const exited = once(child, 'exit');
      if (when === 'while it listens') {
        channel.write(framed(serialize({ jsonrpc: '2.0', id: 1, method: 'ping' })));
        await once(channel, 'data');
      } else channel.resume();
      channel.end(bytes);
      const [code] = await exited;
      if (code !== 0) assert.match(stderr, /Error: Unable to deserialize cloned data/);
    });
  }
}

test('huge messages are refused or read, and the next one is answered', async () => {
  const { client, exited } = await startBackend();
  const file = path.join(scratch, 'a.dmd.json');
  await assert.rejects(client.request(checkConfig, { text: 'x'.repeat(50e6), file }), /config\/check: .*1000000/);
  assert.equal(await client.request(readPngSettings, { png: new Uint8Array(50e6) }).catch(() => null), null);
  assert.equal(await client.request(ping, {}), null);
  await client.request(shutdown, {});
  assert.deepEqual(await exited, [0, null]);
});

test('started by hand it says what it is', async () => {
  const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(process.execPath, [script], (error, _, stderr) => resolve({ code: error?.code, text: stderr }));
  });
  assert.equal(code, 2);
  assert.match(text, /the editor starts this program/);
});
