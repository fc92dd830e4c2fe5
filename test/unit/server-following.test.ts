/** Several followers of one run, each under an id of its own: what one wants, changes or ends is nothing to the others. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { followRun, type Interests, type LiveEvent, runLive, unfollowRun } from '../../backend/protocol/rpc/index.ts';
import type { RunMessageOf } from '../../backend/protocol/run-messages.ts';
import { type EventWriter, openEventWriter } from '../../backend/runs/events/writer.ts';
import type { OpenRun } from '../../backend/runs/folder/run-folder.ts';
import type { RunLink } from '../../backend/runs/live/link.ts';
import { registerFollowing } from '../../backend/server/runs/following.ts';
import { HistoryCache } from '../../backend/server/runs/history-cache.ts';
import { LiveLinks } from '../../backend/server/runs/live-links.ts';
import { FakeServer } from './server/fake-server.ts';
import { Heard, makeRun, type PlayedRun, playRun, scratchFolder } from './server/run-folders.ts';

const all: Interests = { steps: true, records: true, notes: true, probe: false };
const withProbe = { ...all, probe: true };

let root: string;
let run: OpenRun;
let folder: string;
let events: EventWriter;
let process: PlayedRun;
let links: LiveLinks;
let server: FakeServer;
let heard: Heard<{ id: string; event: LiveEvent }>;
let connect: () => Promise<RunLink>;

beforeEach(() => {
  root = scratchFolder();
  run = makeRun(root, { contact: 'played' });
  folder = run.paths.folder;
  events = openEventWriter(run.paths.events, { now: () => 1e12 });
  process = playRun(folder);
  connect = async () => process.link;
  links = new LiveLinks(() => connect());
  server = new FakeServer();
  heard = new Heard();
  server.onSaid = ({ params }) => heard.add(runLive.params.parse(params));
  registerFollowing(server, links, new HistoryCache(), { keep: () => () => {} });
});

afterEach(async () => {
  await server.end();
  links.close();
  run.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const follow = (id: string, wants = all) => server.ask(followRun, { id, folder, wants });
const unfollow = (id: string) => server.ask(unfollowRun, { id });

/** Both sides of every follower know where the other is, and step 1 was heard. */
async function level(...ids: string[]): Promise<void> {
  while (!links.standing(folder)) await new Promise((resolve) => setTimeout(resolve, 5));
  iterate(1);
  for (const id of ids) await told(id, 1);
}

/** What a run does after an iteration: first the files, then the word. */
function iterate(step: number): void {
  events.add(step, { scalars: { loss: step } });
  process.say({ type: 'step', step, iterations: 100, time: 1e9, scalars: { loss: step } });
}

const stepsOf = (id: string) =>
  heard.all.flatMap((one) =>
    one.id === id && one.event.type === 'scalars' ? one.event.points.map(({ step }) => step) : [],
  );
const told = (id: string, step: number) =>
  heard.once(() => (stepsOf(id).includes(step) ? true : undefined), `step ${step} to ${id}`);

const probeOf = (step: number): RunMessageOf<'probe'> => {
  const tensors = [{ name: 'x', shape: [1, 2], data: Float32Array.of(step, 2) }];
  return { type: 'probe', step, tensors, metadata: {} };
};
const probesOf = (id: string) =>
  heard.all.flatMap((one) => (one.id === id && one.event.type === 'probe' ? [one.event.fields.step] : []));

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('two followers of one run hear everything; one ends and comes back, the other goes on, and both miss nothing', async () => {
  await follow('left');
  await follow('right');
  await level('left', 'right');
  for (const step of range(2, 20)) iterate(step);
  await Promise.all(['left', 'right'].map((id) => told(id, 20)));
  await unfollow('right');
  for (const step of range(21, 40)) iterate(step);
  await told('left', 40);
  await follow('right');
  for (const step of range(41, 60)) iterate(step);
  await Promise.all(['left', 'right'].map((id) => told(id, 60)));
  assert.deepEqual(stepsOf('left'), range(1, 60));
  assert.deepEqual(stepsOf('right'), [...range(1, 20), ...range(41, 60)], 'between, it read the curves anew');
});

test('the run probes while any follower wants it, and tells those alone; who comes later gets the newest at once', async () => {
  await follow('left', withProbe);
  await follow('right');
  await level('left', 'right');
  assert.deepEqual(process.wanted.at(-1), withProbe);
  process.say(probeOf(2));
  await heard.once(() => (probesOf('left').length > 0 ? true : undefined), 'a probe');
  const asked = process.wanted.length;
  await follow('right', withProbe);
  await heard.once(
    () => (probesOf('right').length > 0 ? true : undefined),
    'the newest probe, in a run that may be paused',
  );
  assert.equal(process.wanted.length, asked, 'the run has nothing new to do');
  await unfollow('left');
  process.say(probeOf(3));
  await heard.once(() => (probesOf('right').includes(3) ? true : undefined), 'the next probe');
  assert.deepEqual([probesOf('left'), probesOf('right')], [[2], [2, 3]]);
  await follow('right', all);
  assert.deepEqual(process.wanted.at(-1), all, 'nobody wants it any more');
});

test('changing the wishes leaves no step out and tells none twice', async () => {
  await follow('one');
  await level('one');
  for (const step of range(2, 80)) {
    iterate(step);
    // In the middle of a batch that waits to be sent.
    if (step % 10 === 0) await follow('one', step % 20 === 0 ? withProbe : all);
    if (step % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await told('one', 80);
  assert.deepEqual(stepsOf('one'), range(1, 80));
});

test('what a follower does not want it is not told; the run is asked for what all want together', async () => {
  const none = { steps: false, records: false, notes: false, probe: false };
  await follow('steps', { ...none, steps: true });
  await follow('notes', { ...none, notes: true });
  await level('steps');
  assert.deepEqual(process.wanted.at(-1), { ...none, steps: true, notes: true });
  process.say({ type: 'note', level: 'warning', text: 'mind' });
  process.say({ type: 'recorded', kind: 'samples', step: 1, dropped: [] });
  iterate(2);
  await told('steps', 2);
  const types = (id: string) => new Set(heard.all.flatMap((one) => (one.id === id ? [one.event.type] : [])));
  assert.deepEqual([types('steps'), types('notes')], [new Set(['scalars']), new Set(['note'])]);
  await unfollow('notes');
  assert.deepEqual(process.wanted.at(-1), { ...none, steps: true });
});

test('an id that moves to another run leaves the first; a folder that is none gets a refusal, and the id stays where it was', async () => {
  const other = makeRun(root, { name: 'other' });
  await follow('one');
  await level('one');
  await assert.rejects(server.ask(followRun, { id: 'one', folder: root, wants: all }), { kind: 'data' });
  iterate(2);
  await told('one', 2);
  await server.ask(followRun, { id: 'one', folder: other.paths.folder, wants: all });
  iterate(3);
  openEventWriter(other.paths.events, { now: () => 1e12 }).add(7, { scalars: { loss: 7 } });
  await told('one', 7);
  assert.deepEqual(stepsOf('one'), [1, 2, 7]);
  other.close();
});

test('a run of another version: each follower is told so once, in words, and has the files', async () => {
  connect = () => Promise.reject(new UserError('usage', 'another version works on this run', 'It goes on.'));
  await follow('left');
  const isRefusal = (id: string) => (one: { id: string; event: LiveEvent }) =>
    one.id === id && one.event.type === 'note' && one.event.text === 'another version works on this run. It goes on.';
  await heard.until(isRefusal('left'), 'the refusal');
  await follow('right');
  await heard.until(isRefusal('right'), 'the refusal to who comes later');
  iterate(1);
  await Promise.all(['left', 'right'].map((id) => told(id, 1)));
  await new Promise((resolve) => setTimeout(resolve, 1300)); // it was knocked at again
  assert.deepEqual(
    ['left', 'right'].map((id) => heard.all.filter(isRefusal(id)).length),
    [1, 1],
  );
});
