/** The probe, live: at every step, at once when asked for, while paused, and without a trace in what is trained. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { RunMessage, RunMessageOf } from '../../backend/protocol/run-messages.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readFields } from '../../backend/runs/fields/fields.ts';
import { rangesKey, rangesOf } from '../../backend/runs/fields/ranges.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { startLiveRun } from '../../backend/runs/live/live-run.ts';
import { distillConfig, runHere, scratch, stateBytes, teachConfig, tinyTeacher } from './training/tiny.ts';

type Probe = RunMessageOf<'probe'>;

const probesOf = (messages: readonly RunMessage[]) =>
  messages.filter((message): message is Probe => message.type === 'probe');

async function setUp() {
  const folder = scratch();
  const teacher = await tinyTeacher(folder);
  const start = (change = {}) => ({ config: distillConfig(teacher, change), root: path.join(folder, 'runs') });
  return { start };
}

test('a run that was probed live is bit-equal to one that was not', async () => {
  const { start } = await setUp();
  const plain = await runHere(start());
  const probed = await runHere(start(), {
    onMessage(message, control) {
      if (message.type === 'opened') control.probe(true);
    },
  });
  assert.equal(plain.last.type, 'ended');
  assert.deepEqual(
    probesOf(probed.messages).map(({ step }) => step),
    [0, 1, 2, 3, 4, 5, 6],
  );
  assert.equal(probesOf(plain.messages).length, 0);
  assert.deepEqual(probed.scalars, plain.scalars);
  assert.deepEqual(stateBytes(probed.folder, 6), stateBytes(plain.folder, 6));
});

test('what is shown is what is recorded, and the recorder says so at once', async () => {
  const { start } = await setUp();
  const record = { probeEvery: 2, samplesEvery: 3, fieldsEvery: 4, budgetMB: 1 };
  const { folder, messages } = await runHere(start({ record }), {
    onMessage(message, control) {
      if (message.type === 'step' && message.step === 3) control.probe(true);
      if (message.type === 'step' && message.step === 5) control.probe(false);
    },
  });
  const shown = probesOf(messages);
  assert.deepEqual(
    shown.map(({ step }) => step),
    [3, 4],
    'on after step 3, off before the probe of step 5',
  );
  const [, four] = shown;
  const { tensors, metadata } = readFields(runPaths(folder).fields, 'probe', 4);
  const { [rangesKey]: ranges, ...others } = metadata;
  assert.deepEqual(four.metadata, others);
  assert.deepEqual(JSON.parse(ranges!), rangesOf('probe', tensors), 'a file says its ranges too');
  assert.deepEqual(new Map(four.tensors.map(({ name, shape, data }) => [name, { shape, data }])), tensors);

  const recorded = messages.flatMap((message) => (message.type === 'recorded' ? [message] : []));
  const steps = (kind: string) => recorded.flatMap((one) => (one.kind === kind ? [one.step] : []));
  assert.deepEqual(steps('probe'), [0, 2, 4, 6]);
  assert.deepEqual(steps('samples'), [0, 3, 6]);
  assert.deepEqual(steps('training'), [4, 6]);
});

test('a paused run shows its probe once per request; across threads the fields are handed over', async () => {
  const { start } = await setUp();
  const messages: RunMessage[] = [];
  const probe = (on: boolean) => run.ask(runRequests.subscribe, { steps: true, records: true, notes: true, probe: on });
  const run = await startLiveRun({ start: start({ iterations: 100_000 }), set: [], half: false }, (message) => {
    messages.push(message);
    const paused = message.type === 'state' && message.state === 'paused';
    if (message.type === 'step' && message.step === 1) void run.ask(runRequests.pause, {});
    if (paused) void probe(true);
    if (message.type === 'probe' && probesOf(messages).length === 1) void probe(false);
    if (message.type === 'probe' && probesOf(messages).length === 1) void probe(true);
    if (message.type === 'probe' && probesOf(messages).length === 2) run.stop();
  });
  await run.ended;
  assert.equal(messages.at(-1)?.type, 'ended', JSON.stringify(messages.at(-1)));
  const [first, second] = probesOf(messages);
  assert.ok(first.tensors.every(({ data }) => data.buffer.byteLength === data.byteLength && data.length > 0));
  assert.deepEqual(second, first, 'the same state, every number of it, the fixed inputs included');
  const between = messages.slice(messages.indexOf(first), messages.indexOf(second));
  assert.ok(!between.some(({ type }) => type === 'step'));
});

test('a probe that fails is switched off with a warning, and the run goes on', async () => {
  const { start } = await setUp();
  // More numbers than an array can hold.
  const record = { probe: { count: 2 ** 40 } };
  const { last, messages } = await runHere(start({ record }), {
    onMessage(message, control) {
      if (message.type === 'step' && message.step === 2) control.probe(true);
    },
  });
  assert.equal(last.type, 'ended', JSON.stringify(last));
  const warnings = messages.filter((message) => message.type === 'note' && message.text.includes('live probe is off'));
  assert.equal(warnings.length, 1);
});

test('a resumed run says from which step on it forgets; one that teaches has no probe', async () => {
  const root = scratch();
  const openedOf = (messages: readonly RunMessage[]) => {
    const opened = messages.find((message): message is RunMessageOf<'opened'> => message.type === 'opened')!;
    return [opened.step, opened.restartAt, opened.probe];
  };
  const { folder, messages } = await runHere({ config: teachConfig(), root }, { until: 4 });
  assert.deepEqual(openedOf(messages), [0, null, false]);
  assert.deepEqual(openedOf((await runHere({ folder })).messages), [4, 5, false]);
});
