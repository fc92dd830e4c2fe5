/** A debugger in another process, as the run sees it: over its socket, beside other watchers, and gone from one moment to the next. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { DebugEvent } from '../../backend/protocol/debug-requests.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { connectRun } from '../../backend/runs/live/link.ts';
import { startLiveRun } from '../../backend/runs/live/live-run.ts';
import { distillConfig, scratch, tinyTeacher } from './training/tiny.ts';

test('a debugger whose line is cut at a stop leaves a run that goes on to its end; who watches sees it stand and go', async () => {
  const folder = scratch();
  const config = distillConfig(await tinyTeacher(folder), { iterations: 3 });
  const messages: RunMessage[] = [];
  const start = { config, root: path.join(folder, 'runs') };
  const run = await startLiveRun({ start, set: [], half: false, debug: true }, (message) => messages.push(message));
  const debug = await connectRun(run.contact);
  const session = 'a session of its own';
  const attached = await debug.ask(runRequests['debug/attach'], { session, stop: false });
  assert.equal(attached.iterations, 3);
  const held = debug.ask(runRequests['debug/hold'], { session });
  let seen: DebugEvent[] = await debug.ask(runRequests['debug/events'], { session, after: 0 });
  assert.equal(seen.at(-1)!.type, 'stopped');
  await debug.ask(runRequests['debug/breakpoints'], { session, stages: [{ id: 1, stage: 'gradient' }] });
  await debug.ask(runRequests['debug/go'], { session, how: { to: 'continue' } });
  for (let stopped = false; !stopped; ) {
    const news = await debug.ask(runRequests['debug/events'], { session, after: seen.at(-1)!.seq });
    stopped = news.some(({ type }) => type === 'stopped');
    seen = news;
  }
  const { tensor } = await debug.ask(runRequests['debug/tensor'], { session, tensor: 'x', path: [1] });
  assert.deepEqual(tensor.shape, [3, 8, 8]);
  const watcher = await connectRun(run.contact);
  assert.equal(watcher.greeting.state, 'paused');
  const closed = assert.rejects(held, { kind: 'io' });
  debug.close();
  await closed;
  await run.ended;
  const last = messages.at(-1)!;
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const states = messages.flatMap((message) => (message.type === 'state' ? [message.state] : []));
  assert.deepEqual(states.slice(0, 2), ['paused', 'running']);
  assert.equal(states.at(-1), 'running');
  watcher.close();
});
