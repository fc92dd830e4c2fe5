/** Following a run: nothing left out, nothing twice, whether the run itself tells or its files do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { writeFileAtomic } from '../../backend/files/atomic.ts';
import { type LiveEvent, liveEventSchema } from '../../backend/protocol/rpc/index.ts';
import type { RunMessageOf } from '../../backend/protocol/run-messages.ts';
import { type EventWriter, openEventWriter } from '../../backend/runs/events/writer.ts';
import type { OpenRun } from '../../backend/runs/folder/run-folder.ts';
import { Follower } from '../../backend/server/runs/follower.ts';
import { RunHistory } from '../../backend/server/runs/history.ts';
import { LiveLinks } from '../../backend/server/runs/live-links.ts';
import { recordedFile } from '../../backend/server/runs/recorded-steps.ts';
import { Heard, makeRun, type PlayedRun, playRun, scratchFolder } from './server/run-folders.ts';

let root: string;
let run: OpenRun;
let folder: string;
let events: EventWriter;
let played: PlayedRun | undefined;
let links: LiveLinks;
let heard: Heard<LiveEvent>;
let times: number[];
const followers: Follower[] = [];

beforeEach(() => {
  root = scratchFolder();
  run = makeRun(root, { contact: 'played' });
  folder = run.paths.folder;
  events = openEventWriter(run.paths.events, { now: () => 1e12 });
  played = undefined;
  heard = new Heard();
  times = [];
  links = new LiveLinks(async () => {
    if (!played) throw new Error('nobody there');
    return played.link;
  });
});

afterEach(() => {
  for (const follower of followers.splice(0)) follower.stop();
  links.close();
  run.close();
  fs.rmSync(root, { recursive: true, force: true });
});

async function follow({ probe = false, slow }: { probe?: boolean; slow?: Promise<void> } = {}): Promise<Follower> {
  const wants = { steps: true, records: true, notes: true, probe };
  const follower = new Follower({
    ...{ folder, wants, links, history: new RunHistory(folder) },
    async emit(event) {
      if (event.type === 'scalars') times.push(performance.now());
      heard.add(liveEventSchema.parse(event));
      await slow;
    },
    onError: (error) => assert.fail(String(error)),
  });
  followers.push(follower);
  await follower.start();
  return follower;
}

/** What a run does after an iteration: first the files, then the word. */
function iterate(at: number, value = at, more: Record<string, number> = {}): void {
  events.add(at, { scalars: { loss: value, ...more } });
  played?.say({ type: 'step', step: at, iterations: 100, time: 1e9, scalars: { loss: value, ...more } });
}

/** The curve that somebody has who heard all of it; fails when a value comes twice. */
function curve(tag = 'loss'): [number, number][] {
  const points = new Map<number, number>();
  for (const event of heard.all) {
    if (event.type === 'restart') for (const at of [...points.keys()]) if (at >= event.step) points.delete(at);
    if (event.type !== 'scalars') continue;
    for (const { step, scalars } of event.points) {
      if (!(tag in scalars)) continue;
      assert.ok(!points.has(step), `step ${step} of ${tag} is told twice`);
      points.set(step, scalars[tag]!);
    }
  }
  return [...points];
}

const upTo = (tag: string, step: number) =>
  heard.once(() => (curve(tag).some(([at]) => at === step) ? true : undefined), `${tag} of step ${step}`);

/** Linked, and both sides know where the other is. */
async function linked(from: number): Promise<PlayedRun> {
  played = playRun(folder, from);
  await new Promise<void>((resolve) => {
    const listener = {
      onMessage() {},
      onChange() {
        listening.leave();
        resolve();
      },
    };
    const listening = links.listen(folder, listener, { steps: false, records: false, probe: false, notes: false });
  });
  return played;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const line = (from: number, to: number) => range(from, to).map((at): [number, number] => [at, at]);

test('the files alone: every step from then on, pictures and fields, and what made room for them', async () => {
  for (const at of range(1, 5)) iterate(at);
  fs.mkdirSync(path.join(run.paths.fields, 'probe'));
  writeFileAtomic(path.join(folder, recordedFile('probe', 2)), 'x');
  await follow();
  for (const at of range(6, 30)) iterate(at);
  await upTo('loss', 30);
  assert.deepEqual(curve(), line(6, 30), 'and nothing of what was there before');
  writeFileAtomic(path.join(folder, recordedFile('samples', 30)), 'x');
  await heard.until(
    (event) => event.type === 'recorded' && event.kind === 'samples' && event.step === 30,
    'the picture',
  );
  fs.rmSync(path.join(folder, recordedFile('probe', 2)));
  writeFileAtomic(path.join(folder, recordedFile('probe', 30)), 'x');
  const probe = await heard.until(
    (event) => event.type === 'recorded' && event.kind === 'probe' && event.step === 30,
    'it',
  );
  assert.deepEqual(probe, { type: 'recorded', kind: 'probe', step: 30, dropped: [2] });
});

test('a checkpoint, and those that made room for it', async () => {
  const checkpoint = (name: string) => path.join(run.paths.checkpoints, name);
  fs.mkdirSync(checkpoint('step-00000010'));
  await follow();
  fs.rmSync(checkpoint('step-00000010'), { recursive: true });
  fs.mkdirSync(checkpoint('step-00000020'));
  const told = await heard.until((event) => event.type === 'recorded' && event.kind === 'checkpoint', 'it');
  assert.deepEqual(told, { type: 'recorded', kind: 'checkpoint', step: 20, dropped: [10] });
});

test('the run itself: steps at once, no batch within 50 ms of another, each value once and as the files have it', async () => {
  await follow();
  const process = await linked(0);
  iterate(1);
  await upTo('loss', 1);
  // From here on the link is level with the files.
  for (const at of range(2, 200)) {
    iterate(at, at + 0.1);
    if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  process.say({ type: 'note', level: 'warning', text: 'mind the step' });
  await upTo('loss', 200);
  await new Promise((resolve) => setImmediate(resolve));
  process.say({ type: 'step', step: 201, iterations: 300, time: 1e9, scalars: { loss: 201.1 } });
  await upTo('loss', 201); // which no file has
  const found = curve();
  assert.deepEqual(
    found.map(([at]) => at),
    range(1, 201),
  );
  for (const [at, value] of found.slice(1)) assert.equal(value, Math.fround(at + 0.1));
  assert.ok(heard.all.some((event) => event.type === 'note' && event.text === 'mind the step'));
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  assert.ok(
    gaps.every((gap) => gap >= 45),
    `milliseconds between batches: ${gaps.map(Math.round)}`,
  );
});

test('a link that comes and goes leaves nothing out and tells nothing twice', async () => {
  await follow();
  for (const at of range(1, 20)) iterate(at);
  let process = await linked(20);
  for (const at of range(21, 40)) iterate(at);
  await upTo('loss', 40);
  process.end('the process died');
  played = undefined;
  for (const at of range(41, 60)) iterate(at);
  await upTo('loss', 60);
  process = await linked(60);
  for (const at of range(61, 80)) {
    iterate(at);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await upTo('loss', 80);
  assert.deepEqual(curve(), line(1, 80));
});

test("curves that only the files have, such as the probe's, are told when the run says that it recorded", async () => {
  await follow();
  const process = await linked(0);
  for (const at of range(1, 10)) iterate(at);
  await upTo('loss', 10);
  events.add(10, { scalars: { 'probe/cosine/100': 0.5 } });
  process.say({ type: 'recorded', kind: 'probe', step: 10, dropped: [3] });
  await upTo('probe/cosine/100', 10);
  assert.deepEqual(curve('probe/cosine/100'), [[10, 0.5]]);
  assert.deepEqual(curve(), line(1, 10));
  const told = heard.all.filter((event) => event.type === 'recorded');
  assert.deepEqual(told, [{ type: 'recorded', kind: 'probe', step: 10, dropped: [3] }]);
});

for (const when of ['before', 'after'] as const) {
  test(`a resumed run that goes back and links ${when} it says so in its files`, async () => {
    for (const at of range(1, 20)) iterate(at);
    await follow();
    for (const at of range(21, 30)) iterate(at);
    await upTo('loss', 30);
    events.close();
    const resume = () => {
      events = openEventWriter(run.paths.events, { restartAt: 16, now: () => 1e12 });
    };
    if (when === 'after') resume();
    await linked(15);
    if (when === 'before') resume();
    for (const at of range(16, 50)) {
      iterate(at, -at);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await upTo('loss', 50);
    assert.deepEqual(
      heard.all.filter(({ type }) => type === 'restart'),
      [{ type: 'restart', step: 16 }],
    );
    assert.deepEqual(
      curve(),
      range(16, 50).map((at) => [at, -at]),
    );
  });
}

const probeOf = (step: number): RunMessageOf<'probe'> => {
  const tensors = [{ name: 'x', shape: [1, 2], data: Float32Array.of(step, 2) }];
  return { type: 'probe', step, tensors, metadata: { levels: '[100]' } };
};

test('the probe is asked for while somebody wants it, and always the newest is passed on', async () => {
  let release = () => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const follower = await follow({ probe: true, slow });
  const process = await linked(0);
  assert.deepEqual(process.wanted, [{ steps: true, records: true, notes: true, probe: true }]);
  for (const at of range(1, 5)) process.say(probeOf(at));
  release();
  const isProbe = (event: LiveEvent) => event.type === 'probe';
  await heard.until((event) => event.type === 'probe' && event.fields.step === 5, 'the newest probe');
  const frames = heard.all.filter(isProbe).map((event) => event.fields);
  assert.deepEqual(
    frames.map(({ step }) => step),
    [1, 5],
    'those between are not kept for a slow reader',
  );
  const { type: _, ...last } = probeOf(5);
  assert.deepEqual(frames[1], { kind: 'probe', ...last });
  follower.stop();
  process.say(probeOf(6));
  assert.equal(heard.all.filter(isProbe).length, 2);
});

test('after stop nothing is told', async () => {
  const follower = await follow();
  follower.stop();
  const told = heard.all.length;
  const other = await follow();
  for (const at of range(1, 3)) iterate(at);
  await upTo('loss', 3);
  other.stop();
  assert.deepEqual(curve(), line(1, 3), 'by the other one alone');
  assert.equal(told, 0);
});
