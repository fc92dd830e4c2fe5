/** Whole sessions of the debug adapter against a run that answers as the test wants, as transcripts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listingUri } from '../../backend/protocol/listing-uri.ts';
import { type Editor, openEditor } from './adapter/client.ts';
import { FakeRun } from './adapter/fake-run.ts';
import { assertTranscript } from './adapter/transcript.ts';

/** An editor attached to a run that stands at its entry. */
async function attached(t: Parameters<typeof openEditor>[0], clientID = 'vscode') {
  const run = await FakeRun.open(t);
  const editor = await openEditor(t, clientID);
  await editor.ask('attach', { run: run.folder, stopOnEntry: true });
  await editor.event('initialized');
  const source = { path: listingUri(`${run.folder}/config.dmd.json`) };
  const begin = async () => {
    await editor.ask('configurationDone');
    await editor.event('stopped');
  };
  const assertRecorded = (name: string) =>
    assertTranscript(name, editor.messages, [
      [run.folder, '<folder>'],
      [run.folder.split('/').at(-1)!, '<run>'],
    ]);
  return { run, ...editor, source, begin, assertRecorded };
}

/** Goes on until a stage is done. */
async function stepTo({ ask, event }: Editor, steps: number) {
  for (let step = 0; step < steps; step++) {
    await ask('next', { threadId: 1 });
    await event('stopped');
  }
}

test('attach, stop, look, step, go on, leave', async (t) => {
  const session = await attached(t);
  const { ask, event, run, source } = session;
  await ask('setBreakpoints', { source, breakpoints: [{ line: 1 }, { line: 4, condition: 'step >' }, { line: 9 }] });
  await ask('setExceptionBreakpoints', {
    filters: [],
    filterOptions: [{ filterId: 'numeric', condition: 'step > 2' }],
  });
  await session.begin();
  await ask('threads');
  await ask('stackTrace', { threadId: 1 });
  await stepTo(session, 2);
  await ask('stackTrace', { threadId: 1 });
  const { scopes } = await ask('scopes', { frameId: 1 });
  for (const { variablesReference } of scopes as { variablesReference: number }[]) {
    await ask('variables', { variablesReference });
  }
  run.tell({ type: 'log', id: 1, text: 'x is 2', place: { step: 4, micro: 0, stage: 'generate', ordinal: 2 } });
  await event('output');
  run.tell({ type: 'problem', id: 1, problem: 'there is no y' });
  await event('breakpoint');
  run.tell({ type: 'note', level: 'warning', text: 'a warning' });
  await event('output');
  await ask('continue', { threadId: 1 });
  await ask('pause', { threadId: 1 });
  await event('stopped');
  run.tell({ type: 'continued' }); // somebody else said so
  await event('continued');
  await ask('disconnect', {});
  session.assertRecorded('attach');
  assert.deepEqual(
    run.asked.map(([method]) => method).filter((method) => ['stop', 'pause'].includes(method)),
    [],
    'the run goes on',
  );
});

test('values are opened page by page, changed, copied, read and written as bytes', async (t) => {
  const session = await attached(t);
  const { ask, run } = session;
  await session.begin();
  await stepTo(session, 3);
  const [{ variablesReference: tensors }, , , { variablesReference: settings }] = (await ask('scopes', { frameId: 1 }))
    .scopes as { variablesReference: number }[] as [Ref, Ref, Ref, Ref];
  const variables = (await ask('variables', { variablesReference: tensors })).variables as Named[];
  const of = (name: string) => variables.find((one) => one.name === name)!;
  const rows = (await ask('variables', { variablesReference: of('grad').variablesReference })).variables as Named[];
  await ask('variables', { variablesReference: rows[1]!.variablesReference, filter: 'indexed', start: 1, count: 1 });
  await ask('variables', { variablesReference: rows[1]!.variablesReference, filter: 'named' });
  const [large] = (await ask('variables', { variablesReference: of('large').variablesReference })).variables as Named[];
  await ask('variables', { variablesReference: large!.variablesReference, start: 999_998, count: 5 });

  await ask('setVariable', { variablesReference: rows[1]!.variablesReference, name: '[2]', value: '7' });
  await ask('setVariable', { variablesReference: settings, name: 'generator.lr', value: '0.01' });
  await ask('setExpression', { expression: 'grad[0]', value: '0', frameId: 1 });
  const memoryReference = of('grad').memoryReference!;
  await ask('readMemory', { memoryReference, offset: 16, count: 100 });
  await ask('readMemory', { memoryReference, offset: -8, count: 4 });
  await ask('writeMemory', {
    memoryReference,
    offset: 4,
    data: Buffer.from(Float32Array.of(9).buffer).toString('base64'),
  });
  await ask('writeMemory', { memoryReference, offset: 20, data: 'AAAAAAAAAAA=', allowPartial: true });
  assert.deepEqual([...run.numbers.get('grad')!], [-1, 9, 0, 0.5, 1, 0]);
  session.assertRecorded('values');
  assert.deepEqual(
    run.asked.filter(([method]) => method === 'debug/assign').map(([, asked]) => asked),
    [
      { target: 'grad[1, 2]', value: '7' },
      { target: 'generator.lr', value: '0.01' },
      { target: 'grad[0]', value: '0' },
    ],
  );
});

interface Ref {
  readonly variablesReference: number;
}
interface Named extends Ref {
  readonly name: string;
  readonly memoryReference?: string;
}

test('a million numbers are never one answer', async (t) => {
  const session = await attached(t);
  const { ask, run } = session;
  await session.begin();
  await stepTo(session, 1);
  const [tensors] = (await ask('scopes', { frameId: 1 })).scopes as Ref[];
  const variables = (await ask('variables', tensors)).variables as Named[];
  assert.ok(!run.asked.some(([method]) => method === 'debug/statistics'), 'nothing large is summed up unasked');
  const [large] = (
    await ask(
      'variables',
      variables.find(({ name }) => name === 'large'),
    )
  ).variables as Named[];
  for (const page of [{}, { start: 0, count: 1_000_000 }, { start: 5000, count: 2000 }]) {
    const { variables: shown } = await ask('variables', { ...large, ...page });
    const names = (shown as Named[]).map(({ name }) => name);
    assert.equal(names.length, 1001);
    assert.equal(names[0], `[${page.start ?? 0}]`);
    assert.equal(names.at(-1), '...');
  }
});

test('expressions are evaluated, completed, copied whole, and refused with their reason', async (t) => {
  const session = await attached(t);
  const { ask } = session;
  await session.begin();
  await stepTo(session, 3);
  await ask('evaluate', { expression: 'grad', context: 'watch', frameId: 1 });
  await ask('evaluate', { expression: 'grad', context: 'clipboard', frameId: 1 });
  await ask('evaluate', { expression: '0.5', context: 'repl', frameId: 1 });
  await assert.rejects(ask('evaluate', { expression: 'missing', context: 'hover', frameId: 1 }));
  await ask('completions', { text: 'mean(gr', column: 8, frameId: 1 });
  await ask('dataBreakpointInfo', { name: 'loss.fake', variablesReference: 3 });
  await ask('dataBreakpointInfo', { name: 'grad' });
  await ask('dataBreakpointInfo', { name: 'missing' });
  await ask('setDataBreakpoints', {
    breakpoints: [
      { dataId: 'loss.fake', condition: 'changes by 0.5', hitCondition: '> 2' },
      { dataId: 'loss.fake', condition: 'crosses -1e-3 if step > 10' },
      { dataId: 'loss.fake', condition: 'is not finite' },
      { dataId: 'loss.fake', condition: 'step >' },
    ],
  });
  assert.deepEqual(session.run.asked.at(-1)![1], {
    data: [
      { id: 1, expression: 'loss.fake', when: { type: 'changes', by: 0.5 }, hits: '> 2' },
      { id: 2, expression: 'loss.fake', when: { type: 'crosses', level: -0.001 }, condition: 'step > 10' },
      { id: 3, expression: 'loss.fake', when: { type: 'is not finite' } },
      { id: 4, expression: 'loss.fake', when: { type: 'changes', by: 0 }, condition: 'step >' },
    ],
  });
  session.assertRecorded('expressions');
});

test('what a data breakpoint waits for is chosen below the number, with a limit that can be changed', async (t) => {
  const session = await attached(t);
  const { ask } = session;
  await session.begin();
  await stepTo(session, 1);
  const [, , numbers] = (await ask('scopes', { frameId: 1 })).scopes as [Ref, Ref, Ref];
  const [{ variablesReference }] = (await ask('variables', numbers)).variables as [Ref];
  await ask('variables', { variablesReference });
  const info = async (name: string) => (await ask('dataBreakpointInfo', { variablesReference, name })).dataId as string;
  const begun = await info('crosses');
  await ask('setVariable', { variablesReference, name: 'crosses', value: '1e-3' });
  await assert.rejects(ask('setVariable', { variablesReference, name: 'crosses', value: 'soon' }), /no limit/);
  await assert.rejects(ask('setVariable', { variablesReference, name: 'changes by more than', value: '-1' }));
  await assert.rejects(ask('setVariable', { variablesReference, name: 'is not finite', value: '1' }));
  const [changes, crosses, odd] = [
    await info('changes by more than'),
    await info('crosses'),
    await info('is not finite'),
  ];
  assert.equal(await info('nothing of it'), null);
  await ask('setDataBreakpoints', {
    breakpoints: [
      { dataId: changes },
      { dataId: begun, condition: 'step > 10' },
      { dataId: crosses, hitCondition: '2' },
      { dataId: odd },
      { dataId: odd, condition: 'changes by 2 if step > 3' },
    ],
  });
  assert.deepEqual(session.run.asked.at(-1)![1], {
    data: [
      { id: 1, expression: 'loss.fake', when: { type: 'changes', by: 0.05 } },
      { id: 2, expression: 'loss.fake', when: { type: 'crosses', level: 0.5 }, condition: 'step > 10' },
      { id: 3, expression: 'loss.fake', when: { type: 'crosses', level: 0.001 }, hits: '2' },
      { id: 4, expression: 'loss.fake', when: { type: 'is not finite' } },
      { id: 5, expression: 'loss.fake', when: { type: 'changes', by: 2 }, condition: 'step > 3' },
    ],
  });
  session.assertRecorded('data-breakpoints');
});

test('into a stage and its blocks and out again, back, to the beginning and to a line', async (t) => {
  const session = await attached(t);
  const { ask, event, source } = session;
  await session.begin();
  await ask('stepIn', { threadId: 1 }); // before the first stage there is nothing inside
  await event('stopped');
  await ask('stepIn', { threadId: 1 }); // nor in a draw
  await event('stopped');
  await ask('stepInTargets', { frameId: 1 });
  await ask('stepIn', { threadId: 1 });
  await event('stopped');
  const { stackFrames } = await ask('stackTrace', { threadId: 1 });
  const [{ source: inside }] = stackFrames as { source: { sourceReference: number } }[] as [{ source: Reference }];
  await ask('source', { source: inside, sourceReference: inside.sourceReference });
  await ask('setBreakpoints', { source: inside, breakpoints: [{ line: 1 }] });
  await ask('next', { threadId: 1 });
  await event('stopped');
  await ask('stepIn', { threadId: 1 });
  await event('stopped');
  await ask('stackTrace', { threadId: 1, startFrame: 0, levels: 2 });
  const { scopes } = await ask('scopes', { frameId: 3 });
  for (const { variablesReference } of scopes as Ref[]) await ask('variables', { variablesReference });
  await ask('stepOut', { threadId: 1 });
  await event('stopped');
  await ask('stepBack', { threadId: 1 });
  await event('stopped');
  await ask('stepBack', { threadId: 1 });
  await event('stopped');
  await ask('stackTrace', { threadId: 1 });
  await ask('stepBack', { threadId: 1 });
  await event('stopped');
  await ask('reverseContinue', { threadId: 1 });
  await event('stopped');
  await ask('gotoTargets', { source, line: 3 });
  await ask('goto', { threadId: 1, targetId: 3 });
  await event('stopped');
  await ask('restartFrame', { frameId: 1 });
  await event('stopped');
  await ask('loadedSources');
  await ask('breakpointLocations', { source, line: 1, endLine: 4 });
  await ask('source', { source, sourceReference: 0 });
  session.assertRecorded('inside');
});

interface Reference {
  readonly sourceReference: number;
}

test('an exception names the rule, the stage and the first operation; the update is skipped, the run taken back', async (t) => {
  const session = await attached(t);
  const { ask, event, run } = session;
  await session.begin();
  await assert.rejects(ask('exceptionInfo', { threadId: 1 }));
  await ask('continue', { threadId: 1 });
  run.stopAt('gradient', { reason: 'exception', rule: 'numeric', text: 'x has 3 NaN', hits: [1] });
  await event('stopped');
  await ask('exceptionInfo', { threadId: 1 });
  await ask('dmdPlace');
  await ask('dmdOrigin');
  await ask('dmdSkipUpdate', {});
  await ask('dmdSkipUpdate', { networks: [] });
  await ask('dmdCheckpoints');
  await ask('dmdRollBack', { step: 2 });
  await event('stopped');
  await ask('stackTrace', { threadId: 1 });
  await ask('dmdListing');
  session.assertRecorded('exception');
});

test('an editor that cannot open our addresses gets the listing by number, and its lines from 0 on', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event } = await openEditor(t, 'other');
  await ask('initialize', { clientID: 'other', adapterID: 'dmd', linesStartAt1: false, pathFormat: 'path' });
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await ask('configurationDone');
  await event('stopped');
  const [{ source, line }] = (await ask('stackTrace', { threadId: 1 })).stackFrames as [
    { source: Reference; line: number },
  ];
  assert.equal(line, 0);
  assert.ok(source.sourceReference > 0);
  const { content } = await ask('source', { sourceReference: source.sourceReference });
  assert.match(content, /^for step in/);
  const { breakpoints } = await ask('setBreakpoints', { source, breakpoints: [{ line: 2 }] });
  assert.deepEqual(breakpoints, [{ id: 1, line: 2, verified: true }]);
  assert.deepEqual(run.asked.at(-1), ['debug/breakpoints', { stages: [{ id: 1, stage: 'generate' }] }]);
});
