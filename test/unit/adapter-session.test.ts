/** Whole sessions of the debug adapter against a run that answers as the test wants, as transcripts. */
import { test } from 'node:test';
import { listingUri } from '../../backend/protocol/listing-uri.ts';
import { openEditor } from './adapter/client.ts';
import { FakeRun } from './adapter/fake-run.ts';
import { assertTranscript } from './adapter/transcript.ts';

test('attach, stop, look, change, step, go on, leave', async (t) => {
  const run = await FakeRun.open(t);
  const editor = await openEditor(t);
  const { ask, event } = editor;
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await event('initialized');
  const source = { path: listingUri(`${run.folder}/config.dmd.json`) };
  await ask('setBreakpoints', { source, breakpoints: [{ line: 1 }, { line: 4, condition: 'step >' }, { line: 9 }] });
  await ask('setExceptionBreakpoints', {
    filters: [],
    filterOptions: [{ filterId: 'numeric', condition: 'step > 2' }],
  });
  await ask('configurationDone');
  await event('stopped');
  await ask('threads');
  await ask('stackTrace', { threadId: 1 });
  await ask('next', { threadId: 1 });
  await event('stopped');
  await ask('next', { threadId: 1 });
  await event('stopped');
  await ask('stackTrace', { threadId: 1 });
  const { scopes } = await ask('scopes', { frameId: 1 });
  for (const { variablesReference } of scopes as { variablesReference: number }[]) {
    await ask('variables', { variablesReference });
  }
  run.tell({ type: 'log', id: 1, text: 'grad is 2', place: { step: 4, micro: 0, stage: 'generate', ordinal: 2 } });
  await event('output');
  await ask('continue', { threadId: 1 });
  await ask('disconnect', {});
  assertTranscript('attach', editor.messages, [
    [run.folder, '<folder>'],
    [encodeURI(run.folder), '<folder>'],
  ]);
});
