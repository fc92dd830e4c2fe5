/** Monitors as the host has them: which tab shows a run, what a page waits for, and what each of two over one backend hears. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { basename } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { addRuns, monitorLive, shownRuns } from '../../backend/protocol/panels/monitor.ts';
import {
  annotateRun,
  drawCurves,
  followRun,
  openRun,
  readHealth,
  runChanged,
  runLive,
  runRemoved,
  unfollowRun,
} from '../../backend/protocol/rpc/index.ts';
import { BackendInProcess } from '../webview/monitor/backend.ts';
import type { FakePanel } from './extension/fake-panel.ts';
import { monitorHost } from './extension/monitor-host.ts';
import { runRecord } from './extension/run-record.ts';
import { makeRun, scratchFolder } from './server/run-folders.ts';

let root: string;
let folder: string;
let other: string;
let backend: BackendInProcess;

beforeEach(() => {
  root = scratchFolder();
  [folder, other] = ['one', 'two'].map((name) => {
    const run = makeRun(root, { name });
    run.update({ state: 'finished' });
    run.close();
    return run.paths.folder;
  }) as [string, string];
  backend = new BackendInProcess();
});

afterEach(async () => {
  await backend.end();
  fs.rmSync(root, { recursive: true, force: true });
});

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`waited too long for ${what}`);
    await pause(10);
  }
}

const names = ({ told }: FakePanel) =>
  told.flatMap(({ method, params }) => (method === runChanged.method ? [(params as { name: string }).name] : []));

test('a page learns which runs it shows at once, however long their history takes to read', {
  timeout: 180_000,
}, async () => {
  backend.answer(followRun, () => new Promise(() => {}));
  const { panels, made } = await monitorHost(backend);
  await panels.openFor([folder]);
  assert.deepEqual((await made[0]!.ask(shownRuns, {})).folders, [folder]);
  for (const { method, timeoutSeconds } of [openRun, drawCurves, readHealth, followRun]) {
    assert.equal(timeoutSeconds, null, `${method} reads the history first, on whatever disk it lies`);
  }
});

test('a question for more runs is answered while its notification stays', { timeout: 180_000 }, async () => {
  const { host, panels, made } = await monitorHost(backend, { runs: [runRecord({ folder })] });
  host.vscode.answers.set('window.showInformationMessage', () => new Promise(() => {}));
  await panels.openFor([folder]);
  assert.equal(await made[0]!.ask(addRuns, {}), null);
});

test('a run that nobody listed is followed by name and state in every monitor that shows it', async () => {
  const { panels, made } = await monitorHost(backend);
  await panels.openFor([folder]);
  await panels.openFor([[folder, other]]);
  const [one, both] = made as [FakePanel, FakePanel];
  for (const panel of [one, both]) await panel.ask(shownRuns, {});
  await backend.request(annotateRun, { folder, name: 'first name' });
  await until('both to hear', () => [one, both].every((panel) => names(panel).includes('first name')));
  assert.deepEqual([one.title, both.title], ['first name', 'first name and 1 more']);
  one.look(false);
  both.dispose();
  one.look(true);
  await one.ask(shownRuns, {});
  await backend.request(annotateRun, { folder, name: 'second name' });
  await until('the one that is left to hear', () => names(one).includes('second name'));
  assert.ok(!names(both).includes('second name'));
  fs.rmSync(folder, { recursive: true });
  await until('it to hear that the folder is gone', () => one.told.some(({ method }) => method === runRemoved.method));
});

test('of two monitors of one run each is live by itself: one is hidden and closed, the other goes on', async () => {
  const followed = new Map<string, string>();
  backend.answer(followRun, ({ id, folder: of }) => {
    followed.set(id, of);
    return null;
  });
  backend.answer(unfollowRun, ({ id }) => {
    followed.delete(id);
    return null;
  });
  const asked = ({ method }: { method: string }) => backend.asked.filter((one) => one.method === method).length;
  const record = (step: number) => {
    for (const [id, of] of followed) {
      const event = { type: 'recorded' as const, kind: 'samples' as const, step, dropped: [] };
      if (of === folder) backend.tell(runLive, { id, event });
    }
  };
  const heard = ({ told }: FakePanel) =>
    told.flatMap(({ method, params }) =>
      method === monitorLive.method ? [(params as { event: { step: number } }).event.step] : [],
    );
  const { panels, made } = await monitorHost(backend);
  await panels.openFor([folder]);
  await panels.openFor([[folder, other]]);
  const [one, both] = made as [FakePanel, FakePanel];
  for (const panel of [one, both]) await panel.ask(shownRuns, {});
  await until('both to follow', () => asked(followRun) === 3);
  record(1);
  both.look(false);
  await until('the hidden one to let go', () => asked(unfollowRun) === 2);
  record(2);
  both.look(true);
  await both.ask(shownRuns, {});
  await until('it to follow again', () => asked(followRun) === 5);
  record(3);
  both.dispose();
  await until('the closed one to let go', () => asked(unfollowRun) === 4);
  record(4);
  assert.deepEqual(
    [heard(one), heard(both)],
    [
      [1, 2, 3, 4],
      [1, 3],
    ],
  );
});

test('a tab that the editor has not brought back yet is looked at: no second one', async () => {
  const before = await monitorHost(backend);
  await before.panels.openFor([folder]);
  const { title } = before.made[0]!;
  const { host, panels, made, newPanel } = await monitorHost(backend, { memory: before.memory });
  const tab = { label: title, input: { viewType: 'mainThreadWebview-dmd.monitor' } };
  const editor = { label: title, input: {} };
  host.vscode.window.tabGroups = {
    all: [
      { viewColumn: 1, tabs: [editor] },
      { viewColumn: 2, tabs: [editor, tab] },
    ],
  };
  let restored: FakePanel | undefined;
  host.vscode.answers.set('commands.executeCommand', async (...[command, index]: unknown[]) => {
    if (command !== 'workbench.action.openEditorAtIndex') return;
    assert.equal(index, 1);
    restored = newPanel();
    await panels.restore(restored, { folders: [folder] });
  });
  await panels.openFor([folder]);
  assert.equal(made.length, 0, 'no second tab');
  await panels.openFor([folder]);
  assert.deepEqual([made.length, restored?.revealed], [0, 1]);
  const focused = host.vscode.calls.filter(([, [command]]) => command === 'workbench.action.focusSecondEditorGroup');
  assert.equal(focused.length, 1);
});

test('a tab that was closed before it came back is made anew', async () => {
  const before = await monitorHost(backend);
  await before.panels.openFor([folder]);
  const { host, panels, made } = await monitorHost(backend, { memory: before.memory });
  host.vscode.window.tabGroups = { all: [{ viewColumn: 1, tabs: [] }] };
  await panels.openFor([folder]);
  assert.equal(made.length, 1);
});

test('runs that are clicked one after another share a tab, until it is kept', async () => {
  const { host, panels, made } = await monitorHost(backend, { runs: [runRecord({ folder })] });
  const click = (folder: string) => panels.openFor([{ folder, preview: true }]);
  await click(folder);
  await made[0]!.ask(shownRuns, {});
  await click(other);
  assert.equal(made.length, 1);
  assert.deepEqual(made[0]!.told.at(-1), { method: 'monitor/runsChanged', params: { folders: [other] } });
  assert.deepEqual((await made[0]!.ask(shownRuns, {})).folders, [other]);
  const isOffered = () =>
    host.vscode.calls.findLast(
      ([, [command, key]]) => command === 'setContext' && key === 'dmd.monitorIsPreview',
    )?.[1][2];
  assert.equal(isOffered(), true);
  panels.keep();
  assert.equal(isOffered(), false);
  await click(folder);
  assert.equal(made.length, 2, 'the kept one stays');
  const { revealed } = made[0]!;
  await click(other);
  assert.deepEqual([made.length, made[0]!.revealed], [2, revealed + 1], 'which shows the run already');
  // Opened by name, it is no preview any more.
  await panels.openFor([folder]);
  const third = scratchRun('three');
  await click(third);
  assert.equal(made.length, 3);
  // Runs laid over it keep it as well.
  host.vscode.answers.set('window.showQuickPick', (items: never[]) => items);
  await made[2]!.ask(shownRuns, {});
  await made[2]!.ask(addRuns, {});
  assert.equal(made[2]!.title, `${basename(third)} and 1 more`);
  await click(third);
  assert.equal(made.length, 4);
});

test('whoever wants no preview of files gets none of runs', async () => {
  const { host, panels, made } = await monitorHost(backend);
  host.vscode.answers.set('workspace.getConfiguration', () => ({ get: () => false }));
  await panels.openFor([{ folder, preview: true }]);
  await panels.openFor([{ folder: other, preview: true }]);
  assert.equal(made.length, 2);
});

test('a notice leads to the stopped step, in a page that is there and in one that comes', async () => {
  const { panels, made } = await monitorHost(backend);
  await panels.openFor([{ folder, stopped: 7 }]);
  assert.deepEqual((await made[0]!.ask(shownRuns, {})).stopped, { folder, step: 7 });
  assert.equal((await made[0]!.ask(shownRuns, {})).stopped, null, 'once');
  await panels.openFor([{ folder, stopped: 9 }]);
  assert.equal(made.length, 1);
  assert.deepEqual(made[0]!.told.at(-1), { method: 'monitor/showStopped', params: { folder, step: 9 } });
});

function scratchRun(name: string): string {
  const run = makeRun(root, { name });
  run.close();
  return run.paths.folder;
}
