/** The protocol from both sides: every request has a handler, refuses junk, and ends. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { UserError } from '../../backend/protocol/errors.ts';
import * as rpc from '../../backend/protocol/rpc/index.ts';
import { registerRequests } from '../../backend/server/requests.ts';
import { playBoth } from './server/connect.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-server-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const inspectionQuery = {
  ...{ sample: { kind: 'seed', seed: 1 }, condition: null, level: { by: 'sigma', value: 1 } },
  ...{ strip: [1, 2], stepSize: 1 },
};

type AnyRequest = rpc.RequestDefinition<never, unknown>;

const requests = Object.values(rpc).filter(
  (value): value is AnyRequest & typeof value =>
    typeof value === 'object' && value !== null && 'method' in value && 'result' in value,
) as unknown as AnyRequest[];

/** A server with every handler; ends its timers and threads with the test. */
function whole() {
  const both = playBoth();
  let ended = 0;
  registerRequests(both.server, () => {
    ended += 1;
  });
  both.server.listen();
  return { ...both, ended: () => ended, close: () => both.server.end((error) => assert.fail(String(error))) };
}

test('every request of the protocol has a handler, and there is no other', async () => {
  const { server, close } = whole();
  assert.ok(requests.length > 20);
  assert.deepEqual(server.methods().sort(), requests.map(({ method }) => method).sort());
  await close();
});

test('every request refuses params that are not its own, says which, and the next one is answered', async () => {
  const { client, close } = whole();
  const junk: readonly object[] = [
    { folder: 5, step: -1, roots: 'x', text: null, model: [], id: {}, png: 'x', folders: [], protocolVersion: 'one' },
    {},
  ];
  for (const { method, params } of requests) {
    for (const value of junk) {
      if (params.safeParse(value).success) continue; // takes no params
      await assert.rejects(client.connection.sendRequest(method, value), (error: Error & { data?: unknown }) => {
        const { kind } = rpc.errorDataSchema.parse(error.data);
        assert.equal(kind, 'usage', method);
        assert.match(error.message, new RegExp(`^${method}: .*\\w`), 'says what is wrong');
        return true;
      });
    }
  }
  assert.equal(await client.request(rpc.ping, {}), null);
  await close();
});

test('every request ends: with its result, or an error that a person can read', async () => {
  const { client, ended, close } = whole();
  const bugs: string[] = [];
  client.on(rpc.log, ({ level, text }) => level === 'error' && bugs.push(text));
  const nowhere = path.join(folder, 'nowhere');
  const file = path.join(folder, 'a.dmd.json');
  const settings = { model: nowhere, seeds: [1], classes: null, prompt: null, steps: 1, device: 'cpu' };
  const plausible: Record<string, object> = {
    initialize: { protocolVersion: rpc.protocolVersion },
    'config/check': { text: '{ "kind": "distill" ', file },
    'runs/watch': { roots: [nowhere, folder] },
    'inspect/describe': { id: 'an-id', folder: nowhere },
    'inspect/scores': { id: 'an-id', folder: nowhere, state: 3, query: inspectionQuery },
    'inspect/decode': {
      id: 'an-id',
      folder: nowhere,
      latents: { name: 'x', shape: [1, 4, 1, 1], data: new Float32Array(4) },
    },
    'config/listing': { text: '{ "kind": "distill" }', file },
    'runs/debug': { folder: nowhere, method: 'debug/detach', params: { session: 'a-session' } },
    'runs/start': { text: '{}', file, root: folder, set: [] },
    'runs/resume': { folder: nowhere, set: [] },
    'runs/command': { folder: nowhere, command: 'stop' },
    'runs/drawn': { folder: nowhere, tags: ['loss'], range: null, stretches: 9, smoothing: 0 },
    'runs/values': { folder: nowhere, tags: ['loss'], step: 3 },
    'runs/histograms': { folder: nowhere, tag: 'weights' },
    'runs/csv': { folder: nowhere, tags: ['loss'] },
    'runs/samples': { folder: nowhere, step: 1 },
    'runs/fields': { folder: nowhere, kind: 'probe', step: 1 },
    'runs/fieldRanges': { folder: nowhere, kind: 'probe', from: 0 },
    'runs/compare': { folders: [nowhere] },
    'runs/health': { folder: nowhere },
    'runs/follow': {
      id: 'a',
      folder: nowhere,
      wants: { steps: true, records: true, notes: true, probe: true },
    },
    'runs/unfollow': { id: 'a' },
    'runs/tensors/list': { folder: nowhere, params: {} },
    'runs/tensors/read': { folder: nowhere, params: { name: 'training/x' } },
    'runs/plane': {
      folder: nowhere,
      params: { sigma: 1, left: -1, right: 1, bottom: -1, top: 1, columns: 2, rows: 2, shade: 1, samples: 2 },
    },
    'runs/pace': { folder: nowhere, params: { perSecond: 5 } },
    'runs/advance': { folder: nowhere, params: { iterations: 1 } },
    'runs/change': { folder: nowhere, params: { set: ['seed=1'] } },
    'models/list': { roots: [nowhere], files: [nowhere] },
    'models/describe': { model: nowhere },
    'models/export': { id: 'a', model: nowhere, file: path.join(nowhere, 'a.onnx') },
    'images/generate': { id: 'b', settings, metadata: true },
    'images/settings': { png: new Uint8Array([1, 2, 3]) },
    'images/foreign': { png: new Uint8Array([1, 2, 3]) },
    'models/importUNet': { id: 'c', base: nowhere, file, out: nowhere },
    'weights/describe': { path: file },
    'weights/read': { path: file, name: 'a', shape: null, count: true, cut: null },
    'weights/histogram': { path: file, name: 'a', low: 0, high: 1, bins: 3 },
    'hub/plan': { repository: 'some-lab/model' },
    'hub/download': { id: 'd', repository: 'some-lab/model', variant: '' },
  };
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9'; // where nobody answers
  for (const { method, params, result } of requests) {
    // Trying every device takes long and is tested by itself.
    if (method === 'devices/list') continue;
    const value = plausible[method] ?? { folder: nowhere };
    assert.ok(params.safeParse(value).success, `${method}: the test's params are sound`);
    const answer = client.request({ method, params, result, timeoutSeconds: null }, value as never);
    await answer.catch((error: unknown) => assert.ok(error instanceof UserError, `${method}: ${error}`));
  }
  assert.deepEqual(bugs, []);
  assert.equal(ended(), 1, 'shutdown ends the process once it is answered');
  await close();
});

test('what is no message is answered where it has an id, and told to the log', async () => {
  const { client, raw, close } = whole();
  const garbage: readonly unknown[] = [
    ...[null, 5, 'text', [], {}, new Uint8Array(8), new Map()],
    { jsonrpc: '2.0', method: '$/cancelRequest' },
    { jsonrpc: '2.0', method: '$/cancelRequest', params: null },
    { jsonrpc: '2.0', method: '$/setTrace', params: { value: 'verbose' } },
    { jsonrpc: '1.0', id: 1, method: 'ping', params: {} },
    { jsonrpc: '2.0', id: null, method: 'ping' },
    { jsonrpc: '2.0', id: {}, method: 'ping' },
    { jsonrpc: '2.0', method: 5, params: {} },
    { jsonrpc: '2.0', id: 7, result: 'an answer to nothing' },
    { jsonrpc: '2.0', id: 8, error: { code: 1, message: 'x' } },
  ];
  const warnings: string[] = [];
  client.on(rpc.log, ({ level, text }) => level === 'warning' && warnings.push(text));
  for (const message of garbage) raw(message);
  await assert.rejects(client.connection.sendRequest('ping', 1, 2), /not a request: an object with the keys/);
  await assert.rejects(client.connection.sendRequest('no/such', {}), /there is no request no\/such/);
  assert.equal(await client.request(rpc.ping, {}), null);
  assert.equal(warnings.length, garbage.length + 1);
  await close();
});

const slow: rpc.RequestDefinition<Record<string, never>, null> = { ...rpc.ping, method: 'test/slow' };

test('a cancelled request is answered at once, though its handler never ends', async () => {
  const { server, client } = playBoth();
  let seen: AbortSignal | undefined;
  server.handle(slow, (_, { signal }) => {
    seen = signal;
    return new Promise(() => {});
  });
  server.listen();
  const source = new CancellationTokenSource();
  const answer = client.request(slow, {}, source.token);
  source.cancel();
  await assert.rejects(answer, (error) => error instanceof UserError && error.kind === 'cancelled');
  assert.equal(seen?.aborted, true);
});

test('the end of the process cancels what is in hand and waits for clean-ups, the failed ones too', async () => {
  const { server, client } = playBoth();
  server.handle(slow, () => new Promise(() => {}));
  server.listen();
  let cleaned = false;
  server.onEnd(async () => {
    await Promise.resolve();
    cleaned = true;
  });
  server.onEnd(() => Promise.reject(new Error('broken clean-up')));
  const answer = client.request(slow, {}).catch((error: unknown) => error);
  assert.equal(await client.request({ ...slow, method: 'none' }, {}).catch(() => 'refused'), 'refused');
  const errors: unknown[] = [];
  await server.end((error) => errors.push(error));
  const ended = await answer;
  assert.ok(ended instanceof UserError && ended.kind === 'cancelled');
  assert.equal(cleaned, true);
  assert.match(String(errors), /broken clean-up/);
});

test('a bug in a handler is an error with its stack, here and in the log; a UserError keeps kind and hint', async () => {
  const { server, client } = playBoth();
  server.handle(slow, () => {
    throw new TypeError('oh no');
  });
  server.handle({ ...slow, method: 'test/full' }, () => {
    throw new UserError('io', 'the disk is full', 'Free some space.');
  });
  server.listen();
  const logged = client.next(rpc.log);
  await assert.rejects(client.request(slow, {}), (error: Error) => {
    assert.ok(!(error instanceof UserError));
    return error.message === 'oh no' && /server-requests\.test/.test(error.stack ?? '');
  });
  const { level, text } = await logged;
  assert.equal(level, 'error');
  assert.match(text, /test\/slow: TypeError: oh no\n.*server-requests\.test/s);
  await assert.rejects(
    client.request({ ...slow, method: 'test/full' }, {}),
    (error) => error instanceof UserError && error.kind === 'io' && error.hint === 'Free some space.',
  );
});

test('a request that has a handler gets no second one', () => {
  const { server } = playBoth();
  server.handle(rpc.ping, () => null);
  assert.throws(() => server.handle(rpc.ping, () => null), /ping has a handler already/);
});

test('an editor of another protocol version is told so', async () => {
  const { client, close } = whole();
  await assert.rejects(client.request(rpc.initialize, { protocolVersion: 999 }), /version 999 .* version \d/);
  await close();
});
