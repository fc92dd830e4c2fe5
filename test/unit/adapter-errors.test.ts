/** What goes wrong in a session of the debug adapter: every request ends, with words, and the run is never harmed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapterErrors } from '../../backend/adapter/errors.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { openEditor } from './adapter/client.ts';
import { FakeRun } from './adapter/fake-run.ts';

const commands = [
  ...['setBreakpoints', 'setExceptionBreakpoints', 'dataBreakpointInfo', 'setDataBreakpoints', 'breakpointLocations'],
  ...['continue', 'next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'restartFrame', 'goto', 'gotoTargets'],
  ...['stepInTargets', 'pause', 'stackTrace', 'scopes', 'variables', 'setVariable', 'setExpression', 'evaluate'],
  ...['completions', 'exceptionInfo', 'loadedSources', 'source', 'readMemory', 'writeMemory'],
  ...['dmdSkipUpdate', 'dmdCheckpoints', 'dmdRollBack', 'dmdPlace', 'dmdListing', 'dmdOrigin', 'dmdReadValue'],
];

test('numbers of errors are unique, and words fill what they name', () => {
  const numbers = Object.values(adapterErrors).map(({ number }) => number);
  assert.equal(new Set(numbers).size, numbers.length);
});

test('before there is a run, every request is refused with a number of ours', async (t) => {
  const { client, messages } = await openEditor(t);
  const args = {
    source: {},
    breakpoints: [],
    filters: [],
    line: 1,
    frameId: 1,
    variablesReference: 1,
    name: 'x',
    value: '1',
  };
  const more = {
    expression: 'x',
    text: 'x',
    column: 1,
    targetId: 1,
    memoryReference: '1/x',
    count: 1,
    data: '',
    step: 1,
  };
  for (const command of [...commands, 'nonsense']) {
    await assert.rejects(client.customRequest(command, { ...args, ...more, shape: null, cut: null }), command);
    const { body } = messages.at(-1) as { body?: { error: { id: number } } };
    const expected = command === 'nonsense' ? adapterErrors.unknownRequest : adapterErrors.noRun;
    const [id, number] = [body?.error.id, expected.number];
    assert.ok(id === number || id === adapterErrors.badArguments.number, `${command}: ${id}`);
  }
  assert.deepEqual((await client.customRequest('threads')).body, { threads: [] });
});

test('arguments that make no sense are refused with where they are wrong, and the session goes on', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event, client } = await openEditor(t);
  for (const [command, args, words] of [
    ['launch', {}, /nothing says what to run/],
    ['launch', { config: '/a.dmd.json', resume: '/runs/a' }, /two runs/],
    ['launch', { config: 'relative.dmd.json' }, /config: expected an absolute path/],
    ['launch', { config: 5 }, /launch: config/],
    ['launch', { config: '/no/such/folder/a.dmd.json' }, /no such file|there is no|does not exist|not found/i],
    ['attach', {}, /attach: run/],
    ['attach', { run: '/no/such/run' }, /no process works in/],
  ] as const) {
    await assert.rejects(ask(command, args), words, `${command} ${JSON.stringify(args)}`);
  }
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await assert.rejects(ask('attach', { run: run.folder }), /has its run already/);
  await ask('configurationDone');
  await event('stopped');
  for (const junk of [{ variablesReference: 'x' }, { frameId: {} }, { count: -1 }, { line: null }, [], { data: '*' }]) {
    for (const command of commands) await client.customRequest(command, junk).catch(() => {});
  }
  assert.equal((await ask('evaluate', { expression: '0.5' })).result, '0.5');
});

test('an expression that is longer than a run takes is refused with that, and the session goes on', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event } = await openEditor(t);
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await ask('configurationDone');
  await event('stopped');
  await assert.rejects(
    ask('evaluate', { expression: '1'.repeat(100_000) }),
    /the request has \d+ bytes, and a run takes at most/,
  );
  assert.equal((await ask('evaluate', { expression: '0.5' })).result, '0.5');
});

test('what was given out at a stop is void at the next one', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event } = await openEditor(t);
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await ask('configurationDone');
  await event('stopped');
  await ask('next', { threadId: 1 });
  await event('stopped');
  const [{ variablesReference }] = (await ask('scopes', { frameId: 1 })).scopes as [{ variablesReference: number }];
  const [z] = (await ask('variables', { variablesReference })).variables as [{ memoryReference: string }];
  await ask('next', { threadId: 1 });
  await event('stopped');
  await assert.rejects(ask('variables', { variablesReference }), /of an earlier stop/);
  await assert.rejects(ask('readMemory', { memoryReference: z.memoryReference, count: 4 }), /no memory/);
  await assert.rejects(ask('scopes', { frameId: 7 }), /of an earlier stop/);
  await ask('continue', { threadId: 1 });
  await assert.rejects(ask('stackTrace', { threadId: 1 }), /the run computes/);
  await assert.rejects(ask('next', { threadId: 1 }), /the run computes/);
});

test('what the run refuses is told as it says it; what is written past the end of a tensor is not written', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event, messages } = await openEditor(t);
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await ask('configurationDone');
  await event('stopped');
  await ask('next', { threadId: 1 });
  await event('stopped');
  run.refusals.set('debug/assign', new UserError('usage', 'z is drawn', 'Change the seed.'));
  await assert.rejects(ask('setExpression', { expression: 'z', value: '1' }), /^Error: z is drawn Change the seed\.$/);
  const { body } = messages.at(-1) as { body?: { error: object } };
  assert.deepEqual(
    { ...body?.error },
    {
      ...{ id: adapterErrors.run.number, format: '{message} {hint}', showUser: true },
      variables: { message: 'z is drawn', hint: 'Change the seed.' },
    },
  );
  run.refusals.set('debug/go', new UserError('usage', 'it does not stand', ''));
  await assert.rejects(ask('next', { threadId: 1 }), /it does not stand/);
  assert.equal((await ask('stackTrace', { threadId: 1 })).totalFrames, 1, 'it stands where it stood');
  const data = Buffer.alloc(12).toString('base64');
  const tooMuch = { memoryReference: `${run.stops}/z`, offset: 16, data };
  await assert.rejects(ask('writeMemory', tooMuch), /z has 24 bytes/);
  assert.ok(!run.asked.some(([method]) => method === 'debug/write'));
});

test('a run that ends while it is debugged ends the session with what it says', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event, messages } = await openEditor(t);
  await ask('attach', { run: run.folder });
  await ask('configurationDone');
  const waiting = assert.rejects(ask('evaluate', { expression: 'never' }));
  await run.finish();
  await waiting;
  assert.equal((await event('output')).output, 'finished at step 9 of 9\n');
  assert.deepEqual(await event('exited'), { exitCode: 0 });
  await event('terminated');
  await assert.rejects(ask('continue', { threadId: 1 }));
  await ask('disconnect', {});
  assert.equal(messages.filter((message) => 'event' in message && message.event === 'terminated').length, 1);
});

test('a run whose process dies ends the session with the reason', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event } = await openEditor(t);
  await ask('attach', { run: run.folder });
  await run.end();
  assert.match((await event('output')).output, /the process of the run has gone/);
  assert.deepEqual(await event('exited'), { exitCode: 1 });
  await event('terminated');
});

test('terminate ends the run with a checkpoint; an editor that dies leaves it alone', async (t) => {
  const run = await FakeRun.open(t);
  const dying = await openEditor(t);
  await dying.ask('attach', { run: run.folder });
  dying.hangUp();
  while (!run.asked.some(([method]) => method === 'debug/detach'))
    await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!run.asked.some(([method]) => method === 'stop'));

  const { ask, event } = await openEditor(t);
  await ask('attach', { run: run.folder });
  await ask('terminate', {});
  assert.equal((await event('output')).output, 'stopped at step 3 of 9\n');
  await event('terminated');
  await ask('disconnect', {});
});

test('a request that takes long has a progress, and both it and the request can be cancelled', async (t) => {
  const run = await FakeRun.open(t);
  const { client, ask, event } = await openEditor(t);
  await ask('attach', { run: run.folder });
  const signals: AbortSignal[] = [];
  run.slow.set('debug/evaluate', (signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  const first = assert.rejects(client.customRequest('evaluate', { expression: 'x' }), /cancelled/);
  const { progressId, title } = await event('progressStart');
  assert.equal(title, 'x');
  await ask('cancel', { progressId });
  await first;
  assert.deepEqual(await event('progressEnd'), { progressId });

  const second = assert.rejects(client.customRequest('evaluate', { expression: 'y' }), /cancelled/);
  const { progressId: again } = await event('progressStart');
  await ask('disconnect', {});
  await second;
  assert.notEqual(again, progressId);
  assert.ok(signals.every(({ aborted }) => aborted));
});
