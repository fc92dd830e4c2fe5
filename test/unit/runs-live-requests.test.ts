/** Requests to a run over its socket: every one ends, whatever becomes of the run, the watcher or the answer. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { request } from '../../backend/protocol/rpc/define.ts';
import { linkProtocol } from '../../backend/protocol/run-link.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { Desk } from '../../backend/runs/asking/desk.ts';
import { encodeFrame, FrameReader } from '../../backend/runs/live/frames.ts';
import { connectRun } from '../../backend/runs/live/link.ts';
import { uniform } from '../random.ts';
import { endpointFor, follow, isStep, opened, stepMessage } from './live/endpoint.ts';

const readTensor = runRequests['tensors/read'];

async function linked(t: Parameters<typeof endpointFor>[0], limits = {}) {
  const parts = await endpointFor(t, limits);
  parts.endpoint.publish(opened);
  return { ...parts, link: await connectRun(parts.endpoint.contact) };
}

test('a tensor crosses as bytes, NaN and all, and larger than what may wait of news', async (t) => {
  const { link, next, endpoint } = await linked(t, { waitingBytes: 100_000 });
  const data = Float32Array.from({ length: 3 * 333_333 }, uniform);
  data.set([Number.NaN, Number.NEGATIVE_INFINITY, -0], 5);
  const answers = [1, 2, 3].map(() => link.ask(readTensor, { name: 'training/x' }));
  for (const _ of answers)
    (await next('tensors/read')).answer({ step: 3, tensor: { name: 'x', shape: [3, 333_333], data } });
  for (const { tensor } of await Promise.all(answers)) assert.deepEqual(tensor.data, data);
  const { next: told } = follow(link);
  endpoint.publish(stepMessage(4));
  await told(isStep(4));
});

test('what the run throws is the error: kind, message and hint; others are answered all the same', async (t) => {
  const { link, next } = await linked(t);
  const failing = assert.rejects(link.ask(runRequests.checkpoint, {}), {
    name: 'UserError',
    kind: 'io',
    message: 'no room',
    hint: 'Make some.',
  });
  const bug = assert.rejects(link.ask(runRequests.pause, {}), { name: 'Error', message: 'oops' });
  (await next('checkpoint')).reject(new UserError('io', 'no room', 'Make some.'));
  (await next('pause')).reject(new Error('oops'));
  await Promise.all([failing, bug]);
  const fine = link.ask(runRequests.resume, {});
  (await next('resume')).answer({ step: 3 });
  assert.deepEqual(await fine, { step: 3 });
});

test('a cancelled request ends at once, and the run hears of it; so it does of a watcher that dies', async (t) => {
  const { link, next, endpoint } = await linked(t);
  const abort = new AbortController();
  const asked = assert.rejects(link.ask(readTensor, { name: 'x' }, abort.signal), { kind: 'cancelled' });
  const first = await next('tensors/read');
  assert.equal(first.signal.aborted, false);
  abort.abort();
  await asked;
  if (!first.signal.aborted) await once(first.signal, 'abort');
  first.answer({ step: 3, tensor: { name: 'x', shape: [], data: Float32Array.of(1) } }); // too late, and ignored
  await assert.rejects(link.ask(readTensor, { name: 'x' }, abort.signal), { kind: 'cancelled' });

  const other = await connectRun(endpoint.contact);
  const lost = assert.rejects(other.ask(readTensor, { name: 'y' }), { kind: 'io' });
  const second = await next('tensors/read');
  other.close();
  await lost;
  if (!second.signal.aborted) await once(second.signal, 'abort');
});

test('a request that is not answered in time says so; a run that ends takes all others with it', async (t) => {
  const { link, next, endpoint } = await linked(t);
  const hasty = request('tensors/read', readTensor.params, readTensor.result, 0.05);
  await assert.rejects(link.ask(hasty, { name: 'x' }), { kind: 'io', message: /tensors\/read within 0\.05 s/ });
  const { signal } = await next('tensors/read');
  if (!signal.aborted) await once(signal, 'abort');
  const open = assert.rejects(link.ask(runRequests.pause, {}), { kind: 'io', message: /cannot be reached/ });
  await next('pause');
  await endpoint.close();
  await open;
});

test('an answer that comes after the farewell does not cost the watcher the last message', async (t) => {
  const { link, next, endpoint } = await linked(t);
  const { next: told } = follow(link);
  const lost = assert.rejects(link.ask(runRequests.pause, {}), { kind: 'io' });
  const paused = await next('pause');
  for (let step = 4; step < 2000; step++) endpoint.publish(stepMessage(step)); // much to be sent before the last message
  endpoint.publish({ type: 'ended', state: 'stopped', folder: '/runs/one', step: 5, iterations: 9, files: [] });
  const closed = new Promise((resolve) => link.onClose(resolve));
  const closing = endpoint.close();
  paused.answer({ step: 5 });
  await told(({ type }) => type === 'ended');
  assert.equal(await closed, '');
  await Promise.all([closing, lost]);
});

test('a request that this version does not know, wrong params and too many at once are refused; the connection stays', async (t) => {
  const { link, next, endpoint } = await linked(t);
  const unknown = request('tensors/paint', readTensor.params, readTensor.result);
  await assert.rejects(link.ask(unknown, { name: 'x' }), { kind: 'usage', message: /no request "tensors\/paint"/ });
  const inherited = request('toString', readTensor.params, readTensor.result);
  await assert.rejects(link.ask(inherited, { name: 'x' }), { kind: 'usage', message: /no request/ });
  await assert.rejects(link.ask(readTensor, { name: 'x', from: -1 }), {
    kind: 'usage',
    message: /tensors\/read.*from/s,
  });
  await assert.rejects(link.ask(readTensor, { name: 'x'.repeat(300) }), { kind: 'usage' });
  const many = Array.from({ length: 64 }, () => link.ask(runRequests.pause, {}));
  await assert.rejects(link.ask(runRequests.pause, {}), { kind: 'usage', message: /64 requests wait/ });
  for (const _ of many) (await next('pause')).answer({ step: 3 });
  await Promise.all(many);
  // An answer that does not fit its request is a bug of the run's, and of this request alone.
  const damaged = assert.rejects(link.ask(runRequests.pause, {}), /answer to pause is damaged/);
  (await next('pause')).answer({ step: 'three' });
  await damaged;
  endpoint.publish(stepMessage(4));
  await follow(link).next(isStep(4));
});

test('one who asks and does not read holds up nobody', async (t) => {
  const { link, next, endpoint, notes } = await linked(t, { waitingBytes: 200_000 });
  const slow = net.connect(endpoint.contact);
  slow.on('error', () => {});
  const asks = Array.from({ length: 8 }, (_, id) => encodeFrame({ type: 'request', id, method: 'pause', params: {} }));
  slow.write(Buffer.concat([encodeFrame({ type: 'hello', protocol: linkProtocol }), ...asks]));
  await once(slow, 'readable');
  const large = new Float32Array(1_000_000).fill(0.5);
  for (const _ of asks) (await next('pause')).answer({ step: 3, large });
  const quick = link.ask(runRequests.resume, {});
  (await next('resume')).answer({ step: 3 });
  assert.deepEqual(await quick, { step: 3 });
  assert.deepEqual(notes, [], 'answers wait for the one who asked');
  const reader = new FrameReader();
  let read = 0;
  for await (const chunk of slow) {
    for (const frame of reader.read(chunk)) if ((frame as { type: string }).type === 'answer') read++;
    if (read === asks.length) break;
  }
});

test('at the desk: what can be answered at once is; the rest in order, once each, when the run comes by', async () => {
  const desk = new Desk();
  const done: string[] = [];
  desk.handle(runRequests.subscribe, () => null, { atOnce: true });
  desk.handle(runRequests.pause, () => {
    done.push('pause');
    return { step: 1 };
  });
  desk.handle(runRequests.checkpoint, async () => {
    // Asked while another is answered: still answered at this visit.
    void desk.ask(runRequests.pause, {});
    await new Promise((resolve) => setImmediate(resolve));
    done.push('checkpoint');
    return { step: 1, path: '/' };
  });
  assert.equal(await desk.ask(runRequests.subscribe, { steps: true, records: true, probe: true, notes: true }), null);
  const gone = new AbortController();
  const dropped = assert.rejects(desk.ask(runRequests.pause, {}, gone.signal), { kind: 'cancelled' });
  const saved = desk.ask(runRequests.checkpoint, {});
  const nobody = assert.rejects(desk.ask(runRequests['tensors/list'], {}), { kind: 'usage', message: /cannot answer/ });
  gone.abort();
  assert.deepEqual(done, []);
  await desk.answer();
  assert.deepEqual(await saved, { step: 1, path: '/' });
  assert.deepEqual(done, ['checkpoint', 'pause']);
  await Promise.all([dropped, nobody]);
  const late = assert.rejects(desk.ask(runRequests.pause, {}), /over/);
  desk.close(new Error('over'));
  await late;
  await assert.rejects(desk.ask(runRequests.pause, {}), /over/);
});
