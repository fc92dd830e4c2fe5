/** Every request to the backend ends, whatever the process at the other end does; and the process ends when it is told to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { UserError } from '../../backend/protocol/errors.ts';
import { request } from '../../backend/protocol/rpc/define.ts';
import { alive, ask, cancellable, launch } from './misbehaving/launch.ts';

const ownGroups = process.platform !== 'win32';

function userError(kind: string, message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, message);
    assert.equal(error.kind, kind);
    return true;
  };
}

test('answers, typed arrays included, come back as they were sent, and the log says which Node answers', async (t) => {
  const { backend, log } = launch('well-behaved');
  t.after(() => backend.stop());
  const sent = {
    text: 'ä',
    nothing: null,
    bytes: new Uint8Array([0, 255]),
    numbers: new Float64Array([Number.NaN, -0]),
  };
  assert.deepEqual(await backend.request(ask('echo'), sent), sent);
  await backend.ready;
  await log.line(`on Node ${process.versions.node} at ${process.execPath} (the one of the tests)`);
});

test("the backend's errors arrive as it threw them, with their stack as the cause", async (t) => {
  const { backend } = launch('well-behaved');
  t.after(() => backend.stop());
  const refused = await backend.request(ask('refuse'), {}).catch((error: unknown) => error);
  assert.ok(refused instanceof UserError);
  assert.deepEqual([refused.kind, refused.message, refused.hint], ['io', 'the disk is full', 'Free some space.']);
  assert.equal((refused.cause as Error).stack, 'Error: at write');
  const bug = await backend.request(ask('bug'), {}).catch((error: unknown) => error);
  assert.ok(bug instanceof Error && !(bug instanceof UserError));
  assert.equal((bug.cause as Error).stack, 'TypeError: at nowhere');
  await assert.rejects(backend.request(ask('unheardOf'), {}), userError('usage', /does not know unheardOf/));
});

test('a cancelled request ends as cancelled, also when nobody answers', async (t) => {
  const { backend, log } = launch('well-behaved');
  t.after(() => backend.stop());
  const heard = cancellable();
  const work = backend.request(ask('untilCancelled', null), {}, heard.token);
  await log.line('working');
  heard.cancel();
  await assert.rejects(work, userError('cancelled', /^stopped$/));
  await assert.rejects(backend.request(ask('echo'), {}, heard.token), userError('cancelled', /cancelled/));

  const deaf = launch('never-answers', { limits: { cancel: 20 } }).backend;
  t.after(() => deaf.stop());
  await deaf.ready;
  const unheard = cancellable();
  const silence = deaf.request(ask('work', null), {}, unheard.token);
  unheard.cancel();
  await assert.rejects(silence, userError('cancelled', /cancelled/));
});

test('a backend that dies at the start ends what was asked, with its reason in the log', async () => {
  const { backend, log } = launch('crash-at-start');
  await assert.rejects(backend.ready, userError('io', /crashed \(exit code 3\) during initialize/));
  const end = await backend.ended;
  assert.equal(end.expected, false);
  assert.deepEqual(end.lastLines, ['cannot open shared object file']);
  assert.ok(log.lines.includes('cannot open shared object file'));
  await assert.rejects(backend.request(ask('echo'), {}), userError('io', /during echo/));
});

test('a Node that is not there is an error, not a hang', async () => {
  const node = { path: '/nowhere/node', version: '20.12.0', why: 'a test', environment: {} };
  const { backend } = launch('well-behaved', { node });
  await assert.rejects(backend.ready, userError('io', /could not be started .*ENOENT/));
  assert.equal((await backend.ended).expected, false);
});

test('a crash ends every request under way, with or without a time limit', async () => {
  const { backend } = launch('crash-in-request');
  await backend.ready;
  const under = ['work', 'work'].map((method, i) => backend.request(ask(method, i === 0 ? 20 : null), {}));
  for (const each of under) {
    await assert.rejects(each, userError('io', ownGroups ? /crashed \(SIGKILL\) during work/ : /during work/));
  }
  const end = await backend.ended;
  assert.equal(end.expected, false);
  assert.ok(end.lastLines.includes('about to divide by zero'));
});

test('a backend that ends in the middle of saving is not taken for one that saved', async () => {
  const { backend } = launch('exits-while-saving');
  await assert.rejects(backend.request(ask('save', null), {}), userError('io', /ended by itself during save/));
  assert.deepEqual((await backend.ended).lastLines, ['saving']);
});

test('garbage on the channel ends the process and the request whose answer it may have been', async () => {
  const { backend } = launch('garbage');
  await assert.rejects(
    backend.request(ask('work', null), {}),
    userError('io', /sent something that is not a message: \[ 'not', 'a', 'message' \] during work/),
  );
  assert.equal((await backend.ended).expected, false);
});

test('a backend that closes its channel is put down', async () => {
  const { backend } = launch('closes-channel', { limits: { terminate: 50 } });
  await assert.rejects(backend.request(ask('work', null), {}), userError('io', /closed its channel during work/));
});

test('a huge message arrives whole', async (t) => {
  const { backend } = launch('huge-message');
  t.after(() => backend.stop());
  const count = 8 * 1024 * 1024 + 5;
  const numbers = request('numbers', z.object({ count: z.int() }), z.object({ data: z.instanceof(Float32Array) }));
  const { data } = await backend.request(numbers, { count });
  assert.equal(data.length, count);
  assert.equal(data[count - 1], (count - 1) % 1000);
});

test('another version of the protocol is refused with both numbers', async () => {
  const { backend } = launch('wrong-version');
  await assert.rejects(backend.ready, userError('usage', /version 999 of the protocol, this extension version \d+/));
  assert.equal((await backend.ended).expected, true, 'starting it again would not help');
});

test('an answer or a notification of another type than agreed goes no further', async (t) => {
  const { backend } = launch('lies');
  t.after(() => backend.stop());
  const count = request('count', z.object({}), z.object({ count: z.number() }));
  await assert.rejects(backend.request(count, {}), userError('usage', /answer to count is not as agreed: count: /));
});

test('a request without an answer ends when its time is up; the next one is still heard', async (t) => {
  const { backend } = launch('never-answers');
  t.after(() => backend.stop());
  await backend.ready;
  await assert.rejects(
    backend.request(ask('work', 0.02), {}),
    userError('io', /did not answer work within 0.02 seconds/),
  );
  assert.equal(await backend.request(ask('ping'), {}), null);
});

test('a backend that no longer listens is put down, and what had no time limit ends', async () => {
  const { backend } = launch('never-answers', { limits: { pulse: 20, ping: 200 } });
  await backend.ready;
  await assert.rejects(
    backend.request(ask('block', null), {}),
    userError('io', /did not answer for 0.2 seconds during block/),
  );
});

test('a backend that hangs at shutdown is killed with its helpers', { skip: !ownGroups && 'no groups' }, async () => {
  const { backend, log } = launch('hang-at-shutdown', { limits: { shutdown: 30, terminate: 300 } });
  const { pid } = (await backend.request(ask('helper'), {})) as { pid: number };
  assert.ok(alive(pid));
  await backend.stop();
  assert.equal((await backend.ended).expected, true);
  assert.ok(log.lines.includes('SIGTERM? no'), 'it was asked first');
  // The kernel may take a moment to remove what it has killed.
  for (let tries = 0; alive(pid) && tries < 1000; tries++) await new Promise((next) => setImmediate(next));
  assert.ok(!alive(pid) || (await isZombie(pid)), 'the helper has gone too');
});

test('a backend that is told to shut down does so by itself, and requests end as cancelled', async () => {
  const { backend, log } = launch('never-answers');
  await backend.ready;
  const work = backend.request(ask('work', null), {});
  await Promise.all([backend.stop(), assert.rejects(work, userError('cancelled', /was stopped during work/))]);
  assert.equal((await backend.ended).expected, true);
  assert.ok(!log.lines.some((line) => line.includes('terminated')), log.lines.join('\n'));
});

/** In a container nobody may collect what has ended. */
async function isZombie(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return / Z/.test(stat.slice(stat.lastIndexOf(')')));
}
