/** The debug adapter with a real run: launched, stopped, changed, gone back in and ended; numbers are masked in what is recorded of it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { exceptionFilters } from '../../backend/adapter/exception-filters.ts';
import { debugRequests } from '../../backend/protocol/debug-requests.ts';
import { listingUri } from '../../backend/protocol/listing-uri.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readConfigFile } from '../../backend/runs/config-file.ts';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { connectRunIn } from '../../backend/runs/live/link.ts';
import { openEditor } from './adapter/client.ts';
import { assertTranscript } from './adapter/transcript.ts';
import { runtimeFolder } from './live/endpoint.ts';
import { distillConfig, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

// The run's process works in another folder.
process.execArgv.forEach((flag, i) => {
  if (flag.startsWith('./')) process.execArgv[i] = pathToFileURL(flag).href;
});

interface Named {
  readonly name: string;
  readonly value: string;
  readonly variablesReference: number;
}

async function launched(t: Parameters<typeof openEditor>[0], change: object = {}) {
  runtimeFolder(t);
  const folder = scratch();
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'tiny.dmd.json');
  const regression = { enabled: false };
  fs.writeFileSync(file, JSON.stringify(distillConfig(await tinyTeacher(folder), { regression, ...change })));
  const editor = await openEditor(t);
  await editor.ask('launch', { config: file });
  const { folder: run } = (await editor.event('dmdOpened')) as unknown as { folder: string };
  await editor.event('initialized');
  const source = { path: listingUri(file) };
  const text = (await editor.ask('source', { source, sourceReference: 0 })) as unknown as { content: string };
  const line = (words: string) => text.content.split('\n').findIndex((one) => one.includes(words)) + 1;
  const number = async (expression: string) => Number((await editor.ask('evaluate', { expression })).result);
  return { ...editor, folder, file, run, source, line, number };
}

test('a run is launched, stopped, looked into, changed, gone back in and ended', { timeout: 300_000 }, async (t) => {
  const { ask, event, messages, folder, run, source, line, number } = await launched(t);
  await ask('setBreakpoints', { source, breakpoints: [{ line: line('grad ='), condition: 'step == 2' }] });
  await ask('setExceptionBreakpoints', { filters: ['numeric'] });
  await ask('configurationDone');
  await event('stopped');
  const { scopes } = (await ask('scopes', { frameId: 1 })) as unknown as { scopes: Named[] };
  for (const { variablesReference } of scopes) await ask('variables', { variablesReference });
  await ask('stepIn', { threadId: 1 });
  await event('stopped');
  await ask('stackTrace', { threadId: 1 });
  const inside = (await ask('scopes', { frameId: 2 })) as unknown as { scopes: Named[] };
  for (const { variablesReference } of inside.scopes) await ask('variables', { variablesReference });
  await ask('stepOut', { threadId: 1 });
  await event('stopped');

  // The gradient of the weights is linear in what it begins with.
  const stepTo = async (command: string, times: number) => {
    for (let i = 0; i < times; i++) {
      await ask(command, { threadId: 1 });
      await event('stopped');
    }
  };
  await stepTo('next', 2);
  const norm = await number('gradient.norm');
  await stepTo('stepBack', 2);
  await ask('setExpression', { expression: 'grad', value: 'grad * 3' });
  await event('invalidated');
  await stepTo('next', 2);
  const changed = await number('gradient.norm');
  assert.ok(norm > 0 && Math.abs(changed / norm - 3) < 1e-4, `${changed} is not three times ${norm}`);
  assert.equal(readRun(run).info?.step, 1, 'nothing is committed');
  await ask('setBreakpoints', { source, breakpoints: [] });
  await ask('continue', { threadId: 1 });
  await event('terminated');
  await ask('disconnect', {});
  assertTranscript('run', messages, [
    [folder, '<folder>'],
    [/\/\d{4}-\d\d-\d\d-/g, '/<day>-'],
    [/(systemProcessId"?:) ?\d+/g, '$1 <pid>'],
    [/-?\d+\.\d+(e[-+]?\d+)?|\d+e-\d+/g, '<number>'],
    [/((min|mean|max|std) )-?[\d.]+/g, '$1<number>'],
    [/@\d+/g, '@<value>'],
  ]);
  assert.equal(readRun(run).info?.state, 'finished');
});

test('a condition stops at the first NaN with the weights untouched; the operation that made it is named', {
  timeout: 300_000,
}, async (t) => {
  const { ask, event, run, file, source, line } = await launched(t);
  const link = await connectRunIn(run);
  const refused = link.ask(debugRequests['debug/attach'], { session: 'another-one', stop: false });
  await assert.rejects(refused, /debug/, 'one debugger at a time');
  link.close();
  const [draw, realScore] = [line('draw('), line('muReal =')];
  await ask('setBreakpoints', { source, breakpoints: [{ line: draw, condition: 'step == 2' }] });
  await ask('configurationDone');
  await event('stopped');
  await ask('setExpression', { expression: 'sigma[0]', value: '0' });
  await ask('setBreakpoints', { source, breakpoints: [{ line: realScore, condition: 'muReal.nan > 0' }] });
  await ask('continue', { threadId: 1 });
  const stop = (await event('stopped')) as unknown as { reason: string; hitBreakpointIds: number[] };
  assert.equal(stop.reason, 'breakpoint');
  const { note, trace } = (await ask('dmdOrigin')) as unknown as { note: string; trace: string };
  assert.match(note, /\blog\b/);
  assert.match(trace, /^at log in scores\.real\n.*-Inf 1/s);
  const other = await connectRunIn(run);
  assert.equal((await other.ask(runRequests.checkpoint, {})).step, 1);
  other.close();
  await ask('dmdSkipUpdate', {});
  await ask('disconnect', { terminateDebuggee: false });

  const alone = await connectRunIn(run);
  const { rules } = await alone.ask(debugRequests['debug/attach'], { session: 'another-one', stop: true });
  assert.deepEqual(
    rules.map(({ rule, label, description, default: on }) => [rule, label.toLowerCase(), description, on]),
    exceptionFilters.map(({ filter, label, description, default: on }) => [
      filter,
      label.toLowerCase(),
      description,
      on,
    ]),
    'the rules listed before there is a run',
  );
  await alone.ask(runRequests.stop, {});
  alone.close();
  const free = await runHere({ config: readConfigFile(file), root: scratch() }, { until: 1 });
  assert.deepEqual(stateBytes(run, 1), stateBytes(free.folder, 1), 'the weights are those of a run left alone');
});
