/** What a run does with what it is asked while it works: nothing is lost, every answer says what happened. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Disk, realDisk } from '../../backend/files/disk.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readFields } from '../../backend/runs/fields/fields.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import type { RunControl } from '../../backend/runs/loop/control.ts';
import { HeldTensors } from '../../backend/runs/loop/held-tensors.ts';
import type { TrainingSession } from '../../backend/training/session.ts';
import { curves, distillConfig, runHere, scratch, stateBytes, teachConfig, tinyTeacher } from './training/tiny.ts';

const read = runRequests['tensors/read'];
const list = runRequests['tensors/list'];

async function setUp() {
  const folder = scratch();
  const teacher = await tinyTeacher(folder);
  const start = (change = {}) => ({ config: distillConfig(teacher, change), root: path.join(folder, 'runs') });
  return { start };
}

/** Calls `work` once, when the run stands still after `step`; the run goes on when it is done. */
function whenPaused(step: number, work: (control: RunControl) => Promise<void>) {
  let begun: Promise<void> | undefined;
  const onMessage = (message: RunMessage, control: RunControl) => {
    if (message.type === 'step' && message.step === step) control.pause();
    if (message.type === 'state' && message.state === 'paused') {
      begun ??= work(control).finally(() => control.resume());
    }
  };
  return { onMessage, done: () => begun };
}

test('a checkpoint that is asked for while a paused run makes its probe is not lost', async () => {
  const { start } = await setUp();
  let saved: Promise<{ step: number; path: string }> | undefined;
  const { messages, folder } = await runHere(start(), {
    onMessage(message, control) {
      if (message.type === 'step' && message.step === 2) control.pause();
      if (message.type === 'state' && message.state === 'paused') control.probe(true);
      // Told from within the probe: the loop waits for nothing at this moment.
      if (message.type === 'probe' && message.step === 2 && !saved) {
        saved = control.ask(runRequests.checkpoint, {});
        void saved.then(() => control.resume());
      }
    },
  });
  assert.deepEqual(await saved, { step: 2, path: path.join(runPaths(folder).checkpoints, 'step-00000002') });
  const types = messages.map(({ type }) => type);
  assert.ok(types.indexOf('checkpoint') > types.indexOf('probe'));
  assert.equal(messages.at(-1)?.type, 'ended', JSON.stringify(messages.at(-1)));
});

test('pause, resume and checkpoint say at which step; asked again, the same is true and nothing is done twice', async () => {
  const { start } = await setUp();
  const { onMessage, done } = whenPaused(3, async (control) => {
    assert.deepEqual(await control.ask(runRequests.pause, {}), { step: 3 });
    const [first, second] = [control.ask(runRequests.checkpoint, {}), control.ask(runRequests.checkpoint, {})];
    assert.deepEqual(await first, await second);
    assert.ok(fs.existsSync(path.join((await first).path, 'manifest.json')));
    const goingOn = control.ask(runRequests.resume, {});
    assert.deepEqual(await goingOn, { step: 3 });
  });
  const { messages, folder } = await runHere(start(), { onMessage });
  await done();
  const states = messages.flatMap((message) => (message.type === 'state' ? [message.state] : []));
  assert.deepEqual(states, ['paused', 'running']);
  const saved = messages.flatMap((message) => (message.type === 'checkpoint' ? [message.step] : []));
  assert.deepEqual(saved, [3, 6]);
  assert.equal(readRun(folder).state, 'finished');
});

test('a pause that is taken back before the run stood still was cancelled; the run never stood', async () => {
  const { start } = await setUp();
  let asked: Promise<unknown> | undefined;
  const { messages } = await runHere(start(), {
    onMessage(message, control) {
      if (message.type !== 'step' || message.step !== 2) return;
      asked = assert.rejects(control.ask(runRequests.pause, {}), {
        kind: 'cancelled',
        message: /before it stood still/,
      });
      control.resume();
    },
  });
  await asked;
  assert.ok(!messages.some((message) => message.type === 'state'));
});

test('a command whose asker has gone is done all the same', async () => {
  const { start } = await setUp();
  const gone = new AbortController();
  gone.abort();
  const { messages } = await runHere(start(), {
    onMessage(message, control) {
      if (message.type === 'step' && message.step === 2) void control.ask(runRequests.checkpoint, {}, gone.signal);
    },
  });
  assert.ok(messages.some((message) => message.type === 'checkpoint' && message.step === 2));
});

test('a stop is answered with its checkpoint; while pairs are made there is none; what waits then is cancelled', async () => {
  const { start } = await setUp();
  const asked: Promise<unknown>[] = [];
  const stopAt = (fits: (message: RunMessage) => boolean) => ({
    onMessage(message: RunMessage, control: RunControl) {
      if (!fits(message) || asked.length > 0) return;
      asked.push(control.ask(runRequests.stop, {}));
    },
  });
  const ran = await runHere(
    start(),
    stopAt((message) => message.type === 'step' && message.step === 4),
  );
  const [stop] = await Promise.all(asked.splice(0));
  assert.deepEqual(stop, { step: 4, path: path.join(runPaths(ran.folder).checkpoints, 'step-00000004') });
  assert.deepEqual(
    ran.messages.slice(-3).map(({ type }) => type),
    ['state', 'checkpoint', 'ended'],
  );

  const many = { regression: { pairs: { count: 4096 } } };
  let lost: Promise<unknown> | undefined;
  const early = await runHere(start(many), {
    onMessage(message, control) {
      if (message.type !== 'work' || asked.length > 0) return;
      lost = assert.rejects(control.ask(list, {}), { name: 'UserError' });
      asked.push(control.ask(runRequests.stop, {}));
    },
  });
  assert.deepEqual(await Promise.all(asked), [{ step: 0, path: null }]);
  await lost;
  assert.ok(early.last.type === 'ended' && early.last.state === 'stopped', JSON.stringify(early.last));
});

test('a disk that refuses the checkpoint somebody asked for: they are told, and the run goes on', async () => {
  const { start } = await setUp();
  let full = false;
  const disk: Disk = {
    ...realDisk,
    rename(from, to) {
      if (full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      realDisk.rename(from, to);
    },
  };
  let asked: Promise<unknown> | undefined;
  const { last, messages, folder } = await runHere(start(), {
    disk,
    onMessage(message, control) {
      if (message.type !== 'step' || message.step !== 2) return;
      full = true;
      asked = assert.rejects(control.ask(runRequests.checkpoint, {}), { kind: 'io', message: /step-00000002/ });
      void asked.finally(() => {
        full = false;
      });
    },
  });
  await asked;
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  assert.ok(messages.some((message) => message.type === 'note' && /asked for failed/.test(message.text)));
  assert.deepEqual(fs.readdirSync(runPaths(folder).checkpoints), ['step-00000006']);
});

test('the tensors it holds: the latest iteration as it is recorded, the probe as it is shown, whole and in parts', async () => {
  const { start } = await setUp();
  const record = { fieldsEvery: 2, budgetMB: 10 };
  let held: Awaited<ReturnType<typeof holdings>> | undefined;
  async function holdings(control: RunControl) {
    const names = await control.ask(list, {});
    const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
    for (const { name, shape } of names) {
      const { step, tensor } = await control.ask(read, { name });
      assert.equal(step, 2);
      assert.deepEqual(tensor.shape, shape, name);
      tensors.set(name, tensor);
    }
    const part = await control.ask(read, { name: 'probe/muReal', from: 1, to: 3 });
    const none = await control.ask(read, { name: 'training/x', from: 1, to: 1 });
    const wrong: [object, RegExp][] = [
      [{ name: 'probe/nothing' }, /holds no tensor/],
      [{ name: 'nothing' }, /holds no tensor/],
      [{ name: 'training/x', from: 1, to: 999 }, /first axis/],
      [{ name: 'training/x', from: 2, to: 1 }, /first axis/],
    ];
    for (const [params, message] of wrong) {
      await assert.rejects(control.ask(read, params as { name: string }), { kind: 'usage', message });
    }
    return { tensors, part: part.tensor, none: none.tensor };
  }
  const { onMessage, done } = whenPaused(2, async (control) => {
    held = await holdings(control);
  });
  let shown: Extract<RunMessage, { type: 'probe' }> | undefined;
  const { folder } = await runHere(start({ record }), {
    onMessage(message, control) {
      if (message.type === 'step' && message.step === 1) control.probe(true);
      if (message.type === 'probe' && message.step === 2) shown ??= structuredClone(message);
      onMessage(message, control);
    },
  });
  await done();
  const { tensors, part, none } = held!;
  const recorded = readFields(runPaths(folder).fields, 'training', 2).tensors;
  assert.ok(recorded.size >= 5);
  for (const [name, { shape, data }] of recorded) {
    assert.deepEqual(tensors.get(`training/${name}`)?.shape, [...shape], name);
    assert.deepEqual(tensors.get(`training/${name}`)?.data, data, name);
  }
  for (const { name, shape, data } of shown!.tensors) {
    assert.deepEqual(tensors.get(`probe/${name}`), { name: `probe/${name}`, shape, data });
  }
  assert.equal(tensors.size, recorded.size + shown!.tensors.length);
  const whole = tensors.get('probe/muReal')!;
  const each = whole.data.length / whole.shape[0]!;
  assert.deepEqual(part.shape, [2, ...whole.shape.slice(1)]);
  assert.deepEqual(part.data, whole.data.slice(each, 3 * each));
  assert.deepEqual([none.shape[0], none.data.length], [0, 0]);
});

test('between two micro-batches: what is asked is answered from the state before, and what there is of the iteration is shown', async () => {
  const { start } = await setUp();
  const plain = await runHere(start({ accumulation: 2 }));
  let answers: Promise<unknown[]> | undefined;
  const seen: number[] = [];
  const asked = await runHere(start({ accumulation: 2 }), {
    onMessage(message, control) {
      if (message.type === 'step') seen.push(message.step);
      if (message.type !== 'step' || message.step !== 2) return;
      const ask = async () => {
        const answered = [
          control.ask(runRequests.pause, {}),
          control.ask(read, { name: 'training/z' }),
          control.ask(read, { name: 'probe/grad' }),
          control.ask(runRequests.checkpoint, {}),
        ] as const;
        const [paused, z, grad, saved] = await Promise.all(answered);
        const all = [paused.step, z.step, grad.step, saved.step, seen.at(-1)];
        return [...all, (await control.ask(runRequests.resume, {})).step];
      };
      // The loop's own look comes in between: by then the third iteration is under way.
      setImmediate(() => setImmediate(() => (answers = ask())));
    },
  });
  assert.deepEqual(await answers, [2, 3, 2, 2, 2, 2]);
  assert.deepEqual(curves(asked.folder), curves(plain.folder));
  assert.deepEqual(stateBytes(asked.folder, 6), stateBytes(plain.folder, 6));
  assert.ok(fs.existsSync(path.join(runPaths(asked.folder).checkpoints, 'step-00000002')));
});

test('a run that is asked for its tensors at every step is bit-equal to one that is not; one that teaches has no probe', async () => {
  const { start } = await setUp();
  const plain = await runHere(start());
  const asked: Promise<unknown>[] = [];
  const read2 = await runHere(start(), {
    onMessage(message, control) {
      if (message.type !== 'step' || message.step === 6) return;
      asked.push(control.ask(read, { name: 'training/grad' }), control.ask(read, { name: 'probe/grad' }));
    },
  });
  await Promise.all(asked);
  assert.deepEqual(curves(read2.folder), curves(plain.folder));
  assert.deepEqual(stateBytes(read2.folder, 6), stateBytes(plain.folder, 6));

  let none: Promise<unknown> | undefined;
  await runHere(
    { config: teachConfig(), root: scratch() },
    {
      onMessage(message, control) {
        if (message.type === 'step') none ??= control.ask(list, {});
      },
    },
  );
  const names = ((await none) as { name: string }[]).map(({ name }) => name);
  assert.ok(names.length > 0 && names.every((name) => name.startsWith('training/')), names.join());
});

test('more numbers than are sent at once are refused before they are read', async () => {
  const shape = [5, 2 ** 22];
  const tensor = { shape, read: () => assert.fail('read'), dispose() {} };
  const latest = { step: 1, tensors: new Map([['large', tensor]]) };
  const session = { trainer: { step: 1, held: latest } } as unknown as TrainingSession;
  const held = new HeldTensors(session);
  await assert.rejects(held.read({ name: 'training/large' }), (error) => {
    assert.ok(error instanceof UserError && error.kind === 'usage');
    assert.match(`${error.message} ${error.hint}`, /20971520 numbers.*16777216.*from, to/);
    return true;
  });
});
