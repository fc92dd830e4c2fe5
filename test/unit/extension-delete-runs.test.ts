/** Deleting runs: never one at work, always to be undone, and then to the trash; on real folders. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunRecord } from '../../backend/protocol/rpc/index.ts';
import type * as Deleting from '../../extension/commands/delete-runs.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import { load } from './extension/load.ts';
import { runRecord } from './extension/run-record.ts';

const { exports, vscode } = await load<typeof Deleting & typeof ErrorsModule>(
  "export * from './extension/commands/delete-runs.ts'; export * from './extension/errors.ts';",
);
const { deleteRuns, finishDeletions } = exports;

let root: string;
let known: Map<string, RunRecord>;
let services: never;
/** The answer to Undo, when the person gives it. */
let close: (chosen?: string) => Promise<void>;

beforeEach(() => {
  vscode.calls.length = 0;
  vscode.answers.clear();
  root = fs.mkdtempSync(join(tmpdir(), 'dmd-delete-'));
  known = new Map();
  let refreshed = 0;
  const refresh = async () => {
    refreshed += 1;
  };
  const runs = { get: (folder: string) => known.get(folder), refresh };
  const roots = { list: () => [root, join(root, 'no-such-folder')] };
  services = { runs, roots, errors: new exports.Errors(vscode.log as never) } as never;
  vscode.answers.set('showWarningMessage', 'Move to Trash');
  vscode.answers.set('showInformationMessage', () => {
    const answer = new Promise((resolve) => {
      close = async (chosen) => {
        const before = refreshed;
        resolve(chosen);
        while (refreshed === before && said('showErrorMessage').length === 0) await pause(5);
      };
    });
    return answer;
  });
  vscode.answers.set('fs.delete', ({ fsPath }: { fsPath: string }) => fs.rmSync(fsPath, { recursive: true }));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function makeRun(name: string, change: Partial<RunRecord> = {}): RunRecord {
  const folder = join(root, name);
  fs.mkdirSync(join(folder, 'checkpoints'), { recursive: true });
  fs.writeFileSync(join(folder, 'run.json'), name);
  const run = runRecord({ folder, name, state: 'finished', process: null, ...change });
  known.set(folder, run);
  return run;
}

const there = () => fs.readdirSync(root).filter((name) => name !== '.deleted');
const isEmpty = () => !fs.existsSync(join(root, '.deleted'));
const said = (name: string) => vscode.calls.filter(([each]) => each === name).map(([, ...args]) => args);
const deleted = () => said('fs.delete').map(([uri, options]) => [(uri as { fsPath: string }).fsPath, options]);

test('without a yes nothing happens', async () => {
  vscode.answers.set('showWarningMessage', undefined);
  await deleteRuns(services, [makeRun('a')]);
  assert.deepEqual(there(), ['a']);
  assert.ok(isEmpty());
});

test('a deleted run is gone from its folder at once, and comes back whole', { timeout: 180_000 }, async () => {
  await deleteRuns(services, [makeRun('a'), makeRun('b')]);
  assert.deepEqual(there(), []);
  assert.deepEqual(deleted(), [], 'not yet');
  assert.deepEqual(said('showInformationMessage'), [['2 runs were deleted.', 'Undo']]);
  await close('Undo');
  assert.deepEqual(there(), ['a', 'b']);
  assert.equal(fs.readFileSync(join(root, 'b', 'run.json'), 'utf8'), 'b');
  assert.ok(isEmpty());
});

test('when its notification is closed it goes to the trash, from the place it had', async () => {
  await deleteRuns(services, [makeRun('a')]);
  await close();
  assert.deepEqual(deleted(), [[join(root, 'a'), { recursive: true, useTrash: true }]]);
  assert.deepEqual(there(), []);
  assert.ok(isEmpty());
});

test('where the trash cannot be used, deleting for good is another question, and a no brings the run back', async () => {
  vscode.answers.set('fs.delete', (_: unknown, { useTrash }: { useTrash: boolean }) => {
    if (useTrash) throw new Error('no trash here');
  });
  await deleteRuns(services, [makeRun('a')]);
  vscode.answers.set('showWarningMessage', undefined);
  await close();
  assert.deepEqual(there(), ['a']);
  vscode.answers.set('showWarningMessage', 'Move to Trash');
  await deleteRuns(services, [known.get(join(root, 'a'))!]);
  vscode.answers.set('showWarningMessage', 'Delete Permanently');
  await close();
  assert.deepEqual(deleted().at(-1), [join(root, 'a'), { recursive: true, useTrash: false }]);
});

test('a run that was resumed while the question was open stays', async () => {
  const run = makeRun('a', { state: 'stopped' });
  vscode.answers.set('showWarningMessage', () => {
    known.set(run.folder, { ...run, state: 'running' });
    return 'Move to Trash';
  });
  await deleteRuns(services, [run]);
  assert.deepEqual(there(), ['a']);
  assert.match(String(said('showWarningMessage').at(-1)![0]), /A process works on "a"/);
});

test('an undo does not overwrite what came in its place', async () => {
  await deleteRuns(services, [makeRun('a')]);
  makeRun('a');
  await close('Undo');
  const [[message]] = said('showErrorMessage') as [[string]];
  assert.match(message, /^Could not undo the deletion: .*is there again/);
  const [time] = fs.readdirSync(join(root, '.deleted'));
  assert.deepEqual(fs.readdirSync(join(root, '.deleted', time!)), ['a'], 'and the deleted one is kept');
});

test('what a window left when it was closed goes to the trash an hour later', async () => {
  const run = makeRun('a');
  await deleteRuns(services, [run]);
  await finishDeletions(services);
  assert.deepEqual(deleted(), [], 'another window may still have its notification');
  const [time] = fs.readdirSync(join(root, '.deleted'));
  fs.renameSync(join(root, '.deleted', time!), join(root, '.deleted', String(Number(time) - 3_700_000)));
  await finishDeletions(services);
  assert.deepEqual(
    deleted().map(([folder]) => basename(String(folder))),
    ['a'],
  );
  assert.ok(isEmpty());
});
