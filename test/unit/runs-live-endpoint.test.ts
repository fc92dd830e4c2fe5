/** Where a run is reached: who may enter, what watchers are told, and that none of them can hurt the run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RunCommand, RunMessage } from '../../backend/protocol/run-messages.ts';
import { checkContact, newContact } from '../../backend/runs/live/contact.ts';
import { openEndpoint } from '../../backend/runs/live/endpoint.ts';
import { encodeFrame } from '../../backend/runs/live/frames.ts';
import { connectRun, type RunLink } from '../../backend/runs/live/link.ts';
import type { WatcherLimits } from '../../backend/runs/live/watcher.ts';
import { uniform } from '../random.ts';

const opened: RunMessage = {
  ...{ type: 'opened', folder: '/runs/one', kind: 'distill', device: 'cpu', why: 'asked for', threads: 1 },
  ...{ step: 3, iterations: 9, restartAt: 4, probe: true },
};
const stepMessage = (step: number): RunMessage => {
  const scalars = { 'loss/fake': uniform(), 'norm/fake': Number.NaN };
  return { type: 'step', step, iterations: 9, time: 1e9 + step, scalars };
};
const probeMessage = (step: number, numbers = 6): RunMessage => {
  const tensors = [{ name: 'x', shape: [numbers], data: Float32Array.from({ length: numbers }, uniform) }];
  return { type: 'probe', step, tensors, metadata: { levels: '[1]' } };
};

/** Sockets go to a folder of this test alone. */
function runtimeFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-live-'));
  const before = process.env.XDG_RUNTIME_DIR;
  process.env.XDG_RUNTIME_DIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function endpointFor(t: TestContext, limits: WatcherLimits = {}) {
  runtimeFolder(t);
  const commands: RunCommand[] = [];
  const notes: string[] = [];
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  const endpoint = await openEndpoint(
    {
      onCommand(command) {
        commands.push(command);
        heard();
      },
      onNote(text) {
        notes.push(text);
        heard();
      },
    },
    limits,
  );
  t.after(() => endpoint.close());
  /** Settles once `seen` is true, looked at whenever a command or a note comes. */
  const until = (seen: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (seen()) resolve();
      };
      listeners.add(look);
      look();
    });
  return { endpoint, commands, notes, until };
}

/** The messages of a link, and a way to wait for the one that fits. */
function follow(link: RunLink) {
  const messages: RunMessage[] = [];
  const waiting: { fits: (message: RunMessage) => boolean; resolve: (message: RunMessage) => void }[] = [];
  link.onMessage((message) => {
    messages.push(message);
    for (const one of waiting) if (one.fits(message)) one.resolve(message);
  });
  const next = (fits: (message: RunMessage) => boolean) =>
    new Promise<RunMessage>((resolve) => {
      const there = messages.find(fits);
      if (there) resolve(there);
      else waiting.push({ fits, resolve });
    });
  return { messages, next };
}

const isStep = (step: number) => (message: RunMessage) => message.type === 'step' && message.step === step;

test('only the user can enter the folder and use the socket, which goes when the run ends', async (t) => {
  const { endpoint } = await endpointFor(t);
  const { dir } = path.parse(endpoint.contact);
  assert.equal(fs.statSync(dir).mode & 0o777, 0o700);
  assert.equal(fs.statSync(endpoint.contact).mode & 0o777, 0o600);
  assert.ok(endpoint.contact.startsWith(process.env.XDG_RUNTIME_DIR!));
  await endpoint.close();
  assert.deepEqual(fs.readdirSync(dir), []);
});

test('a folder that others own, can enter or have put a link in the place of is not used', (t) => {
  const runtime = runtimeFolder(t);
  const own = path.join(runtime, 'dmd-workbench');
  const elsewhere = path.join(runtime, 'elsewhere');
  const byOther = () => {
    fs.mkdirSync(own, { mode: 0o700 });
    fs.chownSync(own, 4321, 4321);
  };
  const hostile = [
    () => fs.mkdirSync(own, { mode: 0o755 }),
    () => fs.symlinkSync(fs.mkdtempSync(elsewhere), own),
    () => fs.writeFileSync(own, ''),
    ...(process.getuid!() === 0 ? [byOther] : []), // only root can give a folder away
  ];
  for (const prepare of hostile) {
    prepare();
    assert.ok(!newContact().startsWith(own), prepare.toString());
    assert.throws(() => checkContact(path.join(own, 'run-1-0123456789abcdef.sock')), /cannot be reached/);
    fs.rmSync(own, { recursive: true });
  }
});

test('without any usable folder the run goes on, with a note that says why', async (t) => {
  const runtime = runtimeFolder(t);
  const deep = path.join(runtime, 'x'.repeat(100));
  fs.mkdirSync(deep);
  t.mock.method(os, 'tmpdir', () => deep);
  process.env.XDG_RUNTIME_DIR = path.join(runtime, 'missing');
  const notes: string[] = [];
  const endpoint = await openEndpoint({ onCommand() {}, onNote: (text) => notes.push(text) });
  assert.equal(endpoint.contact, '');
  endpoint.publish(opened);
  await endpoint.close();
  assert.equal(notes.length, 1);
  assert.match(notes[0], /cannot be watched.*missing.*ENOENT.*too long/);
});

test('a contact from a lock file leads to a socket of the user and to nothing else', async (t) => {
  const runtime = runtimeFolder(t);
  const server = net.createServer((socket) => assert.fail(`connected ${socket}`));
  const own = path.join(runtime, 'dmd-workbench');
  fs.mkdirSync(own, { mode: 0o700 });
  const outside = path.join(runtime, 'run-1-0123456789abcdef.sock');
  server.listen(outside);
  await once(server, 'listening');
  t.after(() => server.close());
  fs.symlinkSync(outside, path.join(own, 'run-1-0123456789abcdef.sock'));
  const name = path.join(own, 'run-1-0123456789abcdef.sock');
  const wrong = [
    outside,
    name,
    '',
    'relative.sock',
    `${own}/../dmd-workbench/run-1-0123456789abcdef.sock`,
    `${own}/a.sock`,
  ];
  for (const contact of wrong) await assert.rejects(connectRun(contact), { name: 'UserError', kind: 'io' }, contact);
});

test('the sockets of killed processes are removed, those of others stay', async (t) => {
  const runtime = runtimeFolder(t);
  const code = `
    import { openEndpoint } from ${JSON.stringify(path.resolve('backend/runs/live/endpoint.ts'))};
    await openEndpoint({ onCommand() {}, onNote() {} });
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code]);
  const folder = path.join(runtime, 'dmd-workbench');
  const [dead] = fs.readdirSync(folder);
  const living = await openEndpoint({ onCommand() {}, onNote() {} });
  t.after(() => living.close());
  for (const file of [path.join(folder, dead), living.contact]) fs.utimesSync(file, 1, 1);
  const removed = new Promise((resolve) => fs.watch(folder, (_, name) => name === dead && resolve(name)).unref());
  const next = await openEndpoint({ onCommand() {}, onNote() {} });
  t.after(() => next.close());
  await removed;
  assert.deepEqual(
    fs.readdirSync(folder).sort(),
    [living.contact, next.contact].map((file) => path.basename(file)).sort(),
  );
});

test('two watchers: each is told how the run stands, then everything; their commands are acknowledged', async (t) => {
  const { endpoint, commands } = await endpointFor(t);
  const early = connectRun(endpoint.contact);
  endpoint.publish(opened);
  const first = await early;
  const { opened: told, state, work, step, last } = first.greeting;
  assert.deepEqual(
    { told, state, work, step, last },
    { told: opened, state: 'running', work: null, step: 3, last: null },
  );

  endpoint.publish({ type: 'work', label: 'pairs', done: 5, total: 10, unit: 'pairs' });
  const during = await connectRun(endpoint.contact);
  assert.deepEqual(during.greeting.work, { label: 'pairs', done: 5, total: 10, unit: 'pairs' });
  during.close();

  const four = stepMessage(4);
  endpoint.publish(four);
  endpoint.publish({ type: 'state', state: 'paused' });
  const second = await connectRun(endpoint.contact);
  assert.deepEqual([second.greeting.state, second.greeting.work, second.greeting.step], ['paused', null, 4]);
  assert.deepEqual(second.greeting.last, four);

  const watched = [first, second].map(follow);
  await first.send({ type: 'resume' });
  await second.send({ type: 'checkpoint' });
  assert.deepEqual(commands, [{ type: 'resume' }, { type: 'checkpoint' }]);
  const five = stepMessage(5);
  endpoint.publish(five);
  for (const { next } of watched) assert.deepEqual(await next(isStep(5)), five);
  assert.ok(watched[0].messages.some(isStep(4)), 'the first one heard of step 4 as well');
  assert.ok(!watched[1].messages.some(isStep(4)));

  const reasons = [first, second].map((link) => new Promise((resolve) => link.onClose(resolve)));
  endpoint.publish({ type: 'ended', state: 'stopped', folder: '/runs/one', step: 5, iterations: 9, files: [] });
  await endpoint.close();
  assert.deepEqual(await Promise.all(reasons), ['', '']);
  for (const { messages } of watched) assert.equal(messages.at(-1)?.type, 'ended');
  await assert.rejects(first.send({ type: 'pause' }), { kind: 'io' });
});

test('the probe is on while any watcher wants it, and goes to those alone', async (t) => {
  const { endpoint, commands, until } = await endpointFor(t);
  endpoint.publish(opened);
  const links = await Promise.all([1, 2, 3].map(() => connectRun(endpoint.contact)));
  const watched = links.map(follow);
  await links[0].send({ type: 'probe', on: true });
  const four = probeMessage(4);
  endpoint.publish(four);
  await links[1].send({ type: 'probe', on: true });
  const isProbe = (message: RunMessage) => message.type === 'probe';
  assert.deepEqual(await watched[0].next(isProbe), four);
  assert.deepEqual(await watched[1].next(isProbe), four, 'at once, although it was on already');
  await links[0].send({ type: 'probe', on: false });
  assert.deepEqual(commands, [{ type: 'probe', on: true }]);
  links[1].close();
  await until(() => commands.length === 2);
  assert.deepEqual(commands[1], { type: 'probe', on: false });
  endpoint.publish(probeMessage(5));
  endpoint.publish(stepMessage(5));
  await watched[2].next(isStep(5));
  assert.ok(!watched[2].messages.some(isProbe));
});

test('a run without scores refuses the probe in words', async (t) => {
  const { endpoint, commands } = await endpointFor(t);
  endpoint.publish({ ...opened, kind: 'teach', probe: false });
  const link = await connectRun(endpoint.contact);
  await assert.rejects(link.send({ type: 'probe', on: true }), { kind: 'usage', message: /no scores/ });
  await link.send({ type: 'pause' });
  assert.deepEqual(commands, [{ type: 'pause' }]);
});

test('whoever sends garbage, too much, half a frame or nothing loses the connection; the run and others go on', async (t) => {
  const { endpoint, notes, commands, until } = await endpointFor(t, { patienceSeconds: 0.2 });
  endpoint.publish(opened);
  const link = await connectRun(endpoint.contact);
  const { next } = follow(link);
  const hello = encodeFrame({ type: 'hello', protocol: 1 });
  const command = (value: unknown) => Buffer.concat([hello, encodeFrame({ type: 'command', id: 1, command: value })]);
  const half = encodeFrame({ type: 'command', id: 1, command: { type: 'stop' } }).subarray(0, -1);
  const bad: [bytes: Buffer, note: RegExp, end?: boolean][] = [
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /more than/],
    [Buffer.concat([hello, Buffer.from('\x09\0\0\0notaframe')]), /cannot be read/],
    [command({ type: 'explode' }), /makes no sense/],
    [command({ type: 'probe', on: 'yes' }), /makes no sense/],
    [encodeFrame({ type: 'command', id: 1, command: { type: 'stop' } }), /before the greeting/],
    [Buffer.concat([hello, hello]), /second hello/],
    [Buffer.concat([hello, encodeFrame(new Uint8Array(70_000))]), /more than/],
    [Buffer.concat([hello, half]), /did not go on/],
    [Buffer.concat([hello, half]), /middle of a frame/, true],
    [Buffer.alloc(0), /did not go on/],
  ];
  for (const [bytes, note, end] of bad) {
    notes.length = 0;
    const socket = net.connect(endpoint.contact);
    socket.on('error', () => {});
    socket.resume();
    socket.write(bytes);
    if (end) socket.end();
    await Promise.all([once(socket, 'close'), until(() => notes.length > 0)]);
    assert.match(notes.join(), note);
  }
  assert.deepEqual(commands, []);
  endpoint.publish(stepMessage(4));
  await next(isStep(4));
});

test('another version of the protocol is told so', async (t) => {
  const { endpoint } = await endpointFor(t);
  endpoint.publish(opened);
  const socket = net.connect(endpoint.contact);
  socket.write(encodeFrame({ type: 'hello', protocol: 99 }));
  const chunks = await socket.toArray();
  assert.match(Buffer.concat(chunks).toString('latin1'), /speaks version 1 of the protocol, not 99/);
});

test('a reader that does not read skips probes, then is given up; another one misses nothing', async (t) => {
  const { endpoint, notes, until } = await endpointFor(t, { waitingBytes: 200_000 });
  endpoint.publish(opened);
  const slow = net.connect(endpoint.contact);
  slow.on('error', () => {});
  slow.write(
    Buffer.concat([
      encodeFrame({ type: 'hello', protocol: 1 }),
      encodeFrame({ type: 'command', id: 1, command: { type: 'probe', on: true } }),
    ]),
  );
  await once(slow, 'readable'); // greeted; from here on it reads nothing
  const link = await connectRun(endpoint.contact);
  const { messages, next } = follow(link);
  await link.send({ type: 'pause' });

  // Far more in probes than may wait: only the newest is kept for it, so it stays.
  for (let step = 4; step < 24; step++) endpoint.publish(probeMessage(step, 100_000));
  endpoint.publish(stepMessage(24));
  await next(isStep(24));
  assert.deepEqual(notes, []);

  let step = 24;
  for (; notes.length === 0 && step < 5000; step++) endpoint.publish(stepMessage(step + 1));
  await until(() => notes.length > 0);
  assert.match(notes[0], /does not read/);
  await next(isStep(step));
  const steps = messages.flatMap((message) => (message.type === 'step' ? [message.step] : []));
  assert.deepEqual(
    steps,
    Array.from({ length: step - 23 }, (_, i) => 24 + i),
  );
});

test('a run that answers nothing, or nonsense, ends the link with the reason', async (t) => {
  runtimeFolder(t);
  const contact = newContact();
  const answers = [Buffer.from([]), encodeFrame({ type: 'greeting', protocol: 1 }), Buffer.from([255, 255, 255, 255])];
  let count = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.write(answers[count++]);
  });
  server.listen(contact);
  await once(server, 'listening');
  t.after(() => server.close());
  await assert.rejects(connectRun(contact, { timeoutSeconds: 0.2 }), {
    kind: 'io',
    message: /no answer within 0\.2 s/,
  });
  await assert.rejects(connectRun(contact), { kind: 'io', message: /makes no sense/ });
  await assert.rejects(connectRun(contact), { kind: 'io', message: /makes no sense.*more than/ });
});
