/** What goes wrong under a debugger: numbers that are not finite, faults of its own, lost lines, a run that is stopped. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Debugger } from '../../backend/debug/debugger.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { listCheckpoints } from '../../backend/runs/checkpoints/checkpoints.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { type Client, debugged } from './debug/client.ts';
import { curves, distillConfig, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

const folder = scratch();
const teacher = await tinyTeacher(folder);
const start = (change = {}) => ({
  config: distillConfig(teacher, { iterations: 3, ...change }),
  root: path.join(folder, 'runs'),
});

async function launched(client: Client, breakpoints: object = {}) {
  await client.attach(false);
  await client.next('stopped');
  return client.ask('debug/breakpoints', breakpoints);
}
const numeric = { exceptions: [{ id: 9, rule: 'numeric' }] };

test('the first NaN: found at its stage though nobody watched the stages, before the commit, with the operation that made it', async () => {
  const { last, folder: run } = await debugged(start(), async (client) => {
    await launched(client, { ...numeric, stages: [{ id: 1, stage: 'generate' }] });
    await client.go({ to: 'continue' });
    // A finite value that leads to one: (muFake - muReal) / mean|x - muReal| is 0 / 0 where all are equal.
    await client.ask('debug/breakpoints', { stages: [{ id: 2, stage: 'fake score' }] });
    await client.go({ to: 'continue' });
    for (const name of ['muReal', 'muFake']) await client.ask('debug/assign', { target: name, value: '0 * muReal' });
    for (let stage = ''; stage !== 'generate'; ) stage = (await client.go({ to: 'back' })).stage!;
    await client.ask('debug/assign', { target: 'x[1]', value: '0' });
    await client.go({ to: 'stage', stage: 'fake score' });
    await client.ask('debug/assign', { target: 'muReal[1]', value: '0' });
    await client.ask('debug/assign', { target: 'muFake[1]', value: '0' });
    const stop = await client.go({ to: 'next' });
    assert.deepEqual([stop.stage, stop.reason, stop.rule], ['gradient', 'exception', 'numeric']);
    assert.equal(await client.number('grad[1].nan'), 3 * 8 * 8);
    assert.equal(await client.number('grad[0].nan'), 0);
    const origin = await client.ask('debug/origin', {});
    assert.equal(origin.operation?.operation, 'div');
    assert.match(origin.operation.scope, /scores/);
    const [above, under] = origin.operation.inputs;
    assert.equal(above!.statistics!.nan + under!.statistics!.nan, 0);
    assert.equal(under!.statistics!.min, 0, 'it divides by 0');
    assert.ok(origin.operation.output.statistics!.nan > 0);
    // Both updates skipped, the weights stay what they were.
    await client.ask('debug/skip', { networks: ['generator', 'fake'] });
    await client.ask('debug/breakpoints', { stages: [], exceptions: [] });
    await client.go({ to: 'stage', stage: 'draw' });
    await client.detach();
  });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const said = readRun(run).info!.interventions.map(({ text }) => text);
  assert.ok(said.includes("changes x after 'generate'") && said.includes('skips the update of generator and fake'));
});

test('an infinity that no watched stage shows is looked for by computing the iteration again, and the weights are untouched', async () => {
  const wild = start({ generator: { lr: 1e38, warmup: 0 } });
  const alone = await runHere(wild);
  assert.ok(alone.last.type === 'failed' && alone.last.error.kind === 'numeric');
  const { last, folder: run } = await debugged(wild, async (client) => {
    await launched(client, numeric);
    const stop = await client.go({ to: 'continue' });
    assert.equal(stop.rule, 'numeric');
    const { stage, operation } = await client.ask('debug/origin', {});
    assert.equal(stage, stop.stage);
    assert.ok(operation, 'an operation made it');
    await client.detach();
  });
  // Let go, the run ends as it would have.
  assert.ok(last.type === 'failed' && last.error.kind === 'numeric');
  const step = listCheckpoints(runPaths(run).checkpoints)[0]!.step;
  assert.deepEqual(stateBytes(run, step), stateBytes(alone.folder, step));
});

test('back to a checkpoint: the run goes on from there as it did, and what came after is given up', async () => {
  const kept = start({ checkpoint: { every: 1, keep: 5 } });
  const alone = await runHere(kept);
  const { folder: run } = await debugged(kept, async (client) => {
    await launched(client, { stages: [{ id: 1, stage: 'draw', condition: 'step == 3' }] });
    assert.equal((await client.go({ to: 'continue' })).step, 3);
    assert.deepEqual(await client.ask('debug/checkpoints', {}), [2, 1]);
    await assert.rejects(client.ask('debug/go', { how: { to: 'checkpoint', step: 7 } }), {
      message: /no checkpoint of step 7/,
    });
    const stop = await client.go({ to: 'checkpoint', step: 1 });
    assert.deepEqual([stop.reason, stop.step], ['entry', 2]);
    assert.deepEqual(await client.ask('debug/checkpoints', {}), [1]);
    await client.detach();
  });
  assert.deepEqual(stateBytes(run, 3), stateBytes(alone.folder, 3));
  assert.deepEqual(curves(run), curves(alone.folder));
});

test('a debugger that fails is off, and the iteration is computed again without it', async () => {
  const free = await runHere(start());
  const {
    last,
    messages,
    folder: run,
  } = await debugged(start(), async (client) => {
    await launched(client, { exceptions: [{ id: 1, rule: 'loss spike' }], stages: [{ id: 2, stage: 'gradient' }] });
    await client.go({ to: 'continue' });
    // What no test can make fail otherwise.
    const rules = Debugger.prototype as unknown as { measuredNow: (this: unknown) => unknown };
    const before = rules.measuredNow;
    rules.measuredNow = () => assert.fail('a fault of the debugger');
    await client.ask('debug/go', { how: { to: 'continue' } });
    assert.match((await client.held!).reason, /a fault of the debugger/);
    rules.measuredNow = before;
  });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  assert.ok(messages.some((message) => message.type === 'note' && /debugger is off/.test(message.text)));
  assert.deepEqual(stateBytes(run, 3), stateBytes(free.folder, 3));
});

test('a lost line releases a stopped run; a second debugger is refused while there is a first, and then is not', async () => {
  const { last } = await debugged(start(), async (client) => {
    await launched(client);
    await assert.rejects(client.control.ask(runRequests['debug/attach'], { session: 'another one', stop: false }), {
      kind: 'locked',
    });
    client.line.abort();
    assert.deepEqual(await client.held, { reason: 'its line was lost' });
    await assert.rejects(client.control.ask(runRequests['debug/pause'], { session: client.session }), {
      kind: 'usage',
    });
  });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
});

test('a run that is stopped while a debugger stands ends in order, with the state of the last whole iteration', async () => {
  const { last, folder: run } = await debugged(start(), async (client) => {
    await launched(client, { stages: [{ id: 1, stage: 'fake update', condition: 'step == 2' }] });
    await client.go({ to: 'continue' });
    assert.deepEqual((await client.control.ask(runRequests.stop, {})).step, 1);
    assert.deepEqual(await client.held, { reason: 'the run has ended' });
  });
  assert.ok(last.type === 'ended' && last.state === 'stopped', JSON.stringify(last));
  assert.equal(readRun(run).info!.step, 1);
});
