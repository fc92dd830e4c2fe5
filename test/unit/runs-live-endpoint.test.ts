/** Where a run is reached: who may enter, what watchers are told, and that none of them can hurt the run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { z } from '../../backend/protocol/config/zod.ts';
import { errorDataSchema } from '../../backend/protocol/rpc/index.ts';
import { linkProtocol } from '../../backend/protocol/run-link.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { checkContact, newContact } from '../../backend/runs/live/contact.ts';
import { openEndpoint } from '../../backend/runs/live/endpoint.ts';
import { encodeFrame, FrameReader } from '../../backend/runs/live/frames.ts';
import { connectRun } from '../../backend/runs/live/link.ts';
import { sourceLoader } from '../loader.ts';
import {
  all,
  endpointFor,
  follow,
  isStep,
  nobody,
  opened,
  probeMessage,
  runtimeFolder,
  stepMessage,
  withProbe,
} from './live/endpoint.ts';

const hello = encodeFrame({ type: 'hello', protocol: linkProtocol });
const request = (method: string, params: unknown) => encodeFrame({ type: 'request', id: 1, method, params });

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
  const endpoint = await openEndpoint({ ask: nobody, onNote: (text) => notes.push(text) });
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
    await openEndpoint({ ask() {}, onNote() {} });
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--import', sourceLoader, '--input-type=module', '--eval', code]);
  const folder = path.join(runtime, 'dmd-workbench');
  const [dead] = fs.readdirSync(folder);
  const living = await openEndpoint({ ask: nobody, onNote() {} });
  t.after(() => living.close());
  for (const file of [path.join(folder, dead), living.contact]) fs.utimesSync(file, 1, 1);
  const removed = new Promise((resolve) => fs.watch(folder, (_, name) => name === dead && resolve(name)).unref());
  const next = await openEndpoint({ ask: nobody, onNote() {} });
  t.after(() => next.close());
  await removed;
  assert.deepEqual(
    fs.readdirSync(folder).sort(),
    [living.contact, next.contact].map((file) => path.basename(file)).sort(),
  );
});

test('two watchers: each is told how the run stands, then everything; their requests are answered, each to its own', async (t) => {
  const { endpoint, next: asked } = await endpointFor(t);
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
  const gone = first.ask(runRequests.resume, {});
  const saved = second.ask(runRequests.checkpoint, {});
  // In the other order, under the same number.
  (await asked('checkpoint')).answer({ step: 4, path: '/runs/one/checkpoints/step-00000004' });
  assert.deepEqual(await saved, { step: 4, path: '/runs/one/checkpoints/step-00000004' });
  (await asked('resume')).answer({ step: 5 });
  assert.deepEqual(await gone, { step: 5 });
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
  await assert.rejects(first.ask(runRequests.pause, {}), { kind: 'io' });
});

test('each watcher is told what it wants; one changes its mind, one closes, one dies: the others are told as before', async (t) => {
  const { endpoint } = await endpointFor(t);
  endpoint.publish(opened);
  const links = await Promise.all([1, 2, 3, 4].map(() => connectRun(endpoint.contact)));
  const watched = links.map(follow);
  const none = { steps: false, records: false, notes: false, probe: false };
  await links[0].ask(runRequests.subscribe, { ...none, steps: true });
  await links[1].ask(runRequests.subscribe, { ...none, records: true, notes: true });
  const dies = net.connect(endpoint.contact);
  dies.on('error', () => {});
  dies.write(Buffer.concat([hello, request('subscribe', withProbe).subarray(0, 9)]));
  await once(dies, 'readable');
  const publish = (step: number) => {
    endpoint.publish(stepMessage(step));
    endpoint.publish({ type: 'recorded', kind: 'samples', step, dropped: [] });
    endpoint.publish({ type: 'note', level: 'info', text: `note ${step}` });
    endpoint.publish({ type: 'checkpoint', step, path: `/${step}` });
  };
  const isLast = (step: number) => (message: RunMessage) => message.type === 'checkpoint' && message.step === step;
  publish(4);
  await Promise.all(watched.map(({ next }) => next(isLast(4))));
  await links[0].ask(runRequests.subscribe, { ...none, notes: true });
  links[3].close();
  dies.destroy();
  publish(5);
  await Promise.all(watched.slice(0, 3).map(({ next }) => next(isLast(5))));
  const types = watched.map(({ messages }) => messages.map(({ type }) => type));
  assert.deepEqual(types[0], ['step', 'checkpoint', 'note', 'checkpoint']);
  assert.deepEqual(types[1], ['recorded', 'note', 'checkpoint', 'recorded', 'note', 'checkpoint']);
  assert.deepEqual(
    types[2],
    [4, 5].flatMap(() => ['step', 'recorded', 'note', 'checkpoint']),
  );
});

test('the probe is on while any watcher wants it, and goes to those alone', async (t) => {
  const { endpoint, asked, next: nextAsked } = await endpointFor(t);
  endpoint.publish(opened);
  const links = await Promise.all([1, 2, 3].map(() => connectRun(endpoint.contact)));
  const watched = links.map(follow);
  await links[0].ask(runRequests.subscribe, withProbe);
  const four = probeMessage(4);
  endpoint.publish(four);
  await links[1].ask(runRequests.subscribe, withProbe);
  const isProbe = (message: RunMessage) => message.type === 'probe';
  assert.deepEqual(await watched[0].next(isProbe), four);
  assert.deepEqual(await watched[1].next(isProbe), four, 'at once, although it was on already');
  await links[0].ask(runRequests.subscribe, all);
  assert.deepEqual((await nextAsked('subscribe')).params, withProbe);
  assert.deepEqual(asked, [], 'the run is asked once, for all of them');
  links[1].close();
  assert.deepEqual((await nextAsked('subscribe')).params, all);
  endpoint.publish(probeMessage(5));
  endpoint.publish(stepMessage(5));
  await watched[2].next(isStep(5));
  assert.ok(!watched[2].messages.some(isProbe));
});

test('a run without scores refuses the probe in words, and tells what it told before', async (t) => {
  const { endpoint, asked } = await endpointFor(t);
  endpoint.publish({ ...opened, kind: 'teach', probe: false });
  const link = await connectRun(endpoint.contact);
  const refusal = { kind: 'usage', message: /no scores/ };
  await assert.rejects(link.ask(runRequests.subscribe, { ...withProbe, notes: false }), refusal);
  assert.deepEqual(asked, []);
  endpoint.publish({ type: 'note', level: 'info', text: 'still' });
  await follow(link).next(({ type }) => type === 'note');
});

test('whoever sends garbage, too much, half a frame or nothing loses the connection; the run and others go on', async (t) => {
  const { endpoint, notes, asked, until } = await endpointFor(t, { patienceSeconds: 0.2 });
  endpoint.publish(opened);
  const link = await connectRun(endpoint.contact);
  const { next } = follow(link);
  const half = request('stop', {}).subarray(0, -1);
  const bad: [bytes: Buffer, note: RegExp, end?: boolean][] = [
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /more than/],
    [Buffer.concat([hello, Buffer.from('\x09\0\0\0notaframe')]), /cannot be read/],
    [Buffer.concat([hello, encodeFrame({ type: 'command', id: 1, command: { type: 'stop' } })]), /makes no sense/],
    [Buffer.concat([hello, encodeFrame({ type: 'request', id: 'one', method: 'stop' })]), /makes no sense/],
    [request('stop', {}), /before the greeting/],
    [Buffer.concat([hello, hello]), /second hello/],
    [Buffer.concat([hello, encodeFrame(new Uint8Array(70_000))]), /more than/],
    [Buffer.concat([hello, encodeFrame(new Uint8Array(2 ** 21)).subarray(0, 10)]), /more than/],
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
  assert.deepEqual(asked, []);
  endpoint.publish(stepMessage(4));
  await next(isStep(4));
});

test('a request that is too large is refused in an answer, by the one who asks and by the run; the line stays', async (t) => {
  const { endpoint, asked, notes } = await endpointFor(t);
  endpoint.publish(opened);
  const link = await connectRun(endpoint.contact);
  const { next } = follow(link);
  const path = 'x'.repeat(70_000);
  const words = { kind: 'usage', message: /the request has 70\d\d\d bytes, and a run takes at most 65536 at a time/ };
  await assert.rejects(link.ask(runRequests.checkpoint, { path } as never), words);
  endpoint.publish(stepMessage(4));
  await next(isStep(4));
  link.close();

  // By another version that sends it all the same.
  const socket = net.connect(endpoint.contact);
  t.after(() => socket.destroy());
  const reader = new FrameReader();
  const frames: { type: string; id?: number; error?: { kind: string; message: string } }[] = [];
  socket.on('data', (chunk) => frames.push(...(reader.read(chunk) as Generator<never>)));
  const came = async (type: string) => {
    for (;;) {
      const found = frames.find((frame) => frame.type === type);
      if (found) return found;
      await once(socket, 'data');
    }
  };
  socket.write(hello);
  await came('greeting');
  socket.write(request('pause', { path }));
  const { id, error } = await came('error');
  assert.equal(id, 1);
  assert.equal(error?.kind, 'usage');
  assert.match(error!.message, words.message);
  endpoint.publish(stepMessage(5));
  await came('message');
  assert.deepEqual([asked, notes], [[], []]);
});

/** As a watcher of the first version checks what comes; it must not change, or old editors could not be told. */
const firstRefusal = z.strictObject({
  type: z.literal('done'),
  id: z.null(),
  error: errorDataSchema.extend({ message: z.string() }),
});

test('a watcher of another version, older or newer, is told so in a frame that every version can read', async (t) => {
  const { endpoint } = await endpointFor(t);
  endpoint.publish(opened);
  for (const protocol of [1, 99]) {
    const socket = net.connect(endpoint.contact);
    socket.write(encodeFrame({ type: 'hello', protocol }));
    const [frame, ...more] = new FrameReader().read(Buffer.concat(await socket.toArray()));
    assert.match(
      firstRefusal.parse(frame).error.message,
      new RegExp(`speaks version 2 of the protocol, not ${protocol}$`),
    );
    assert.deepEqual(more, []);
  }
});

test('a run of an older version refuses the link in words that say what to do', async (t) => {
  runtimeFolder(t);
  const contact = newContact();
  const server = net.createServer((socket) => {
    socket.once('data', () => {
      const error = { kind: 'usage', message: 'this run speaks version 1 of the protocol, not 2', hint: '', stack: '' };
      socket.end(encodeFrame({ type: 'done', id: null, error }));
    });
  });
  server.listen(contact);
  await once(server, 'listening');
  t.after(() => server.close());
  await assert.rejects(connectRun(contact), {
    name: 'UserError',
    kind: 'usage',
    message: /another version of DMD Workbench works on this run: .*version 1/,
    hint: /files are read as ever.*stop it/,
  });
});

test('a reader that does not read skips probes, then is given up; another one misses nothing', async (t) => {
  const { endpoint, notes, next: asked, until } = await endpointFor(t, { waitingBytes: 200_000 });
  endpoint.publish(opened);
  const slow = net.connect(endpoint.contact);
  slow.on('error', () => {});
  slow.write(Buffer.concat([hello, request('subscribe', withProbe)]));
  await once(slow, 'readable'); // greeted; from here on it reads nothing
  const link = await connectRun(endpoint.contact);
  const { messages, next } = follow(link);
  const paused = link.ask(runRequests.pause, {});
  (await asked('pause')).answer({ step: 3 });
  await paused;

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
  const answers = [
    Buffer.from([]),
    encodeFrame({ type: 'greeting', protocol: linkProtocol }),
    Buffer.from([255, 255, 255, 255]),
  ];
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
