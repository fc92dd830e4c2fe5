/** The list of runs, its lines, its menus and its commands, beside a backend that says what the test wants. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type * as Protocol from '../../backend/protocol/errors.ts';
import { type RunRecord, shownStates } from '../../backend/protocol/rpc/index.ts';
import type * as Commands from '../../extension/commands/register-runs.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import type * as News from '../../extension/run-news.ts';
import type * as RunsModule from '../../extension/runs.ts';
import type { Services } from '../../extension/services.ts';
import type * as StatusBar from '../../extension/status-bar.ts';
import type * as Focused from '../../extension/views/focused-runs.ts';
import type * as Clicks from '../../extension/views/preview-clicks.ts';
import type * as Item from '../../extension/views/run-item.ts';
import type * as Tree from '../../extension/views/runs-tree.ts';
import { extensionContext, load } from './extension/load.ts';
import { runRecord as record } from './extension/run-record.ts';

const { exports, vscode } = await load<
  typeof Protocol &
    typeof ErrorsModule &
    typeof Clicks &
    typeof Focused &
    typeof News &
    typeof RunsModule &
    typeof Tree &
    typeof Item &
    typeof Commands &
    typeof StatusBar
>(
  ['backend/protocol/errors', 'extension/errors', 'extension/runs', 'extension/status-bar', 'extension/views/runs-tree']
    .concat('extension/views/run-item', 'extension/commands/register-runs', 'extension/run-news')
    .concat('extension/views/focused-runs', 'extension/views/preview-clicks')
    .map((file) => `export * from './${file}.ts';`)
    .join('\n'),
);
const { Errors, Runs, RunsTree, UserError, registerRunCommands, registerStatusBar, runContext, runItem } = exports;
const { PreviewClicks, RunNews, focusedRuns } = exports;

const manifestFile = fileURLToPath(new URL('../../package.json', import.meta.url));
const { menus } = JSON.parse(await readFile(manifestFile, 'utf8')).contributes;

/** A backend whose answers are functions by method. */
class FakeBackend {
  readonly asked: [method: string, params: unknown][] = [];
  readonly answers: Record<string, (params: never) => unknown> = {};
  readonly #handlers = new Map<string, (params: unknown) => void>();
  readonly #started = new vscode.EventEmitter<void>();
  readonly onDidStart = this.#started.event;

  async request({ method }: { method: string }, params: unknown): Promise<unknown> {
    this.asked.push([method, params]);
    return (this.answers[method] ?? (() => null))(params as never);
  }
  onNotification({ method }: { method: string }, handler: (params: unknown) => void) {
    this.#handlers.set(method, handler);
    return { dispose: () => this.#handlers.delete(method) };
  }
  tell(method: string, params: unknown): void {
    this.#handlers.get(method)!(params);
  }
  start(): void {
    this.#started.fire();
  }
}

let backend: FakeBackend;
let services: Services;
let rootsChanged: { fire(value: undefined): void };
let news: News.RunNews;

beforeEach(() => {
  vscode.calls.length = 0;
  vscode.answers.clear();
  vscode.log.lines.length = 0;
  vscode.workspace.isTrusted = true;
  backend = new FakeBackend();
  const changed = new vscode.EventEmitter<undefined>();
  rootsChanged = changed;
  const errors = new Errors(vscode.log as never);
  const roots = { list: () => ['/w/runs'], onDidChange: changed.event };
  const runs = new Runs(backend as never, roots as never, errors);
  news = new RunNews(extensionContext(vscode).workspaceState as never);
  services = { backend, log: vscode.log, errors, roots, runs, news, modelFiles: {} } as unknown as Services;
});

const said = (name: string) => vscode.calls.filter(([each]) => each === name).map(([, ...args]) => args);
const call = (id: string, ...args: unknown[]) => vscode.registered.get(id)!(...args);

/** Runs these, in the list and with their commands. */
async function listed(...records: RunRecord[]): Promise<void> {
  backend.answers['runs/watch'] = () => records;
  registerRunCommands(extensionContext(vscode) as never, services);
  await services.runs.watch();
}

test('nothing is asked before somebody looks; then the newest run is first, and news go to its line alone', async () => {
  const tree = new RunsTree(services);
  assert.deepEqual(backend.asked, []);
  const old = record({ folder: '/w/runs/old', name: 'old', createdAt: '2025-01-01T00:00:00.000Z' });
  backend.answers['runs/watch'] = () => [old, record()];
  const nodes = await tree.getChildren();
  assert.deepEqual(backend.asked, [['runs/watch', { roots: ['/w/runs'] }]]);
  assert.deepEqual(
    nodes.map(({ folder }) => folder),
    ['/w/runs/a', '/w/runs/old'],
  );
  const changes: unknown[] = [];
  tree.onDidChangeTreeData((node) => changes.push(node));
  backend.tell('runs/changed', record({ step: 1300 }));
  assert.deepEqual(changes, [nodes[0]]);
  assert.equal(changes[0], nodes[0], 'the same element, so that the selection stays');
  assert.match(String(tree.getTreeItem(nodes[0]!).description), /^1300\/5000/);
  backend.tell('runs/changed', record({ folder: '/w/runs/new', createdAt: '2027-01-01T00:00:00.000Z' }));
  assert.equal(changes[1], undefined, 'another list');
  backend.tell('runs/removed', { folder: '/w/runs/old' });
  const folders = (await tree.getChildren()).map(({ folder }) => folder);
  assert.deepEqual(folders, ['/w/runs/new', '/w/runs/a']);
});

test('a backend that was started again is asked again, but not by the question that started it', async () => {
  backend.answers['runs/watch'] = () => {
    if (backend.asked.length === 1) backend.start();
    return [record()];
  };
  await services.runs.watch();
  assert.equal(backend.asked.length, 1);
  const listedAgain = new Promise((resolve) => services.runs.onDidChange(resolve));
  backend.start();
  await listedAgain;
  assert.equal(backend.asked.length, 2);
  const other = new Promise((resolve) => services.runs.onDidChange(resolve));
  rootsChanged.fire(undefined);
  await other;
  assert.equal(backend.asked.length, 3);
});

test('of two questions under way only the newer answer counts', async () => {
  const answers: ((records: RunRecord[]) => void)[] = [];
  backend.answers['runs/watch'] = () => new Promise((resolve) => answers.push(resolve));
  const first = services.runs.watch();
  const second = services.runs.refresh();
  while (answers.length < 2) await new Promise(setImmediate);
  answers[1]!([record({ folder: '/new' })]);
  await second;
  answers[0]!([record({ folder: '/old' })]);
  await first;
  assert.deepEqual(
    services.runs.list().map(({ folder }) => folder),
    ['/new'],
  );
});

test('an error is said above the empty list, and looking again tries again', async () => {
  const tree = new RunsTree(services);
  let message = '';
  tree.onMessage = (text) => {
    message = text;
  };
  backend.answers['runs/watch'] = () => {
    throw new UserError('io', 'the disk is gone', 'Bring it back.');
  };
  assert.deepEqual(await tree.getChildren(), []);
  assert.equal(message, 'Could not list the runs: the disk is gone. Bring it back.');
  assert.deepEqual(said('executeCommand'), [['setContext', 'dmd.runs', 'failed']]);
  backend.answers['runs/watch'] = () => [record()];
  assert.equal((await tree.getChildren()).length, 1);
  assert.equal(message, '');
  assert.deepEqual(said('executeCommand').at(-1), ['setContext', 'dmd.runs', 'loaded']);
});

test('in an untrusted workspace runs are listed too, with a word on what can be done with them', async () => {
  vscode.workspace.isTrusted = false;
  backend.answers['runs/watch'] = () => [record()];
  const tree = new RunsTree(services);
  let message = '';
  tree.onMessage = (text) => {
    message = text;
  };
  assert.equal((await tree.getChildren()).length, 1);
  assert.match(message, /not trusted: its runs can be looked at/);
  backend.answers['runs/watch'] = () => [];
  await tree.refresh();
  assert.deepEqual(await tree.getChildren(), []);
  assert.equal(message, '', 'the welcome text says it');
});

test('a line says how far the run is; its texts are text', () => {
  const item = runItem(record({ tags: ['lr', 'two'], name: '[x](command:y)' }));
  assert.equal(item.description, '1200/5000 · 24% · 12 min left · cpu · #lr #two');
  assert.ok(!(item.tooltip as { value: string }).value.includes('[x](command:y)'));
  const failed = runItem(
    record({ state: 'failed', error: { message: 'NaN in loss', hint: 'Lower lr.' }, process: null }),
  );
  assert.equal(failed.description, 'failed · 1200/5000 · 24% · cpu');
  assert.match((failed.tooltip as { value: string }).value, /NaN in loss Lower lr\./);
  const work = { label: 'making pairs', done: 3, total: 32, unit: 'pairs' };
  assert.equal(runItem(record({ work, step: 0 })).description, 'making pairs 3/32 · 9% · cpu', 'the unit once');
  const written = { label: 'writing', done: 3, total: 32, unit: 'files' };
  assert.equal(runItem(record({ work: written, step: 0 })).description, 'writing 3/32 files · 9% · cpu');
  assert.equal(runItem(record({ state: 'finished', step: 5000 })).description, '5000/5000 · cpu');
});

/** The inline and context entries of a line. */
function offered(context: string): Set<string> {
  const items: { command: string; when: string }[] = menus['view/item/context'];
  const fits = ({ when }: { when: string }) => {
    if (!when.includes('view == dmd.runs')) return false;
    const pattern = /viewItem =~ \/(.+)\/$/.exec(when)?.[1];
    return pattern === undefined || new RegExp(pattern).test(context);
  };
  return new Set(items.filter(fits).map(({ command }) => command.replace('dmd.', '')));
}

test('a menu offers to a run what its command would do with it, in every state', async () => {
  const controls = ['pauseRun', 'resumeRun', 'stopRun', 'checkpointRun'];
  const fitting: Record<string, string[]> = {};
  for (const state of shownStates) {
    for (const reachable of [false, true]) {
      const run = record({ state, process: reachable ? { pid: 7, reachable } : null });
      const context = runContext(run);
      fitting[context] = controls.filter((id) => offered(context).has(id));
      assert.ok(offered(context).has('deleteRun') && offered(context).has('openRunFolder'), context);
    }
  }
  assert.deepEqual(fitting['run.running.reachable'], ['pauseRun', 'stopRun', 'checkpointRun']);
  assert.deepEqual(fitting['run.paused.reachable'], ['resumeRun', 'stopRun', 'checkpointRun']);
  assert.deepEqual(fitting['run.queued.reachable'], ['stopRun']);
  for (const state of ['stopped', 'interrupted', 'failed']) assert.deepEqual(fitting[`run.${state}`], ['resumeRun']);
  for (const state of ['running', 'paused', 'stopping.reachable', 'finished', 'damaged']) {
    assert.deepEqual(fitting[`run.${state}`], [], state);
  }
});

test('a command asks the run it was called for, one it does not fit is told so', async () => {
  const stopped = record({ folder: '/w/runs/b', name: 'b', state: 'stopped', process: null });
  await listed(record(), stopped);
  await call('dmd.pauseRun', { folder: '/w/runs/a' });
  await call('dmd.resumeRun', '/w/runs/b');
  assert.deepEqual(backend.asked.slice(1), [
    ['runs/command', { folder: '/w/runs/a', command: 'pause' }],
    ['runs/resume', { folder: '/w/runs/b', set: [] }],
  ]);
  await call('dmd.pauseRun', { folder: '/w/runs/b' });
  await call('dmd.pauseRun', '/etc');
  assert.equal(backend.asked.length, 3);
  assert.equal(said('showInformationMessage').length, 2);
});

test('without a run a command lets the person pick among those it fits', async () => {
  const names = ['x', 'y'].map((name) => record({ folder: `/w/runs/${name}`, name }));
  await listed(...names, record({ state: 'finished', process: null }));
  vscode.answers.set('showQuickPick', (items: { label: string }[]) => items.filter(({ label }) => label === 'y'));
  await call('dmd.stopRun');
  const [[items]] = said('showQuickPick') as [[{ label: string }[]]];
  assert.deepEqual(
    items.map(({ label }) => label),
    ['x', 'y'],
  );
  assert.deepEqual(backend.asked.at(-1), ['runs/command', { folder: '/w/runs/y', command: 'stop' }]);
});

test('runs of one selection are compared in one monitor', async () => {
  const all = ['x', 'y'].map((name) => record({ folder: `/w/runs/${name}`, name }));
  await listed(...all);
  await call('dmd.compareRuns', all[0], all);
  assert.deepEqual(said('executeCommand').at(-1), ['dmd.openMonitor', ['/w/runs/x', '/w/runs/y']]);
});

test('tags and names are sent as the person wrote them, without what is empty or twice', async () => {
  await listed(record());
  vscode.answers.set('showInputBox', ' a, b,, a ');
  await call('dmd.tagRun', '/w/runs/a');
  assert.deepEqual(backend.asked.at(-1), ['runs/annotate', { folder: '/w/runs/a', tags: ['a', 'b'] }]);
  vscode.answers.set('showInputBox', ' new name ');
  await call('dmd.renameRun', '/w/runs/a');
  assert.deepEqual(backend.asked.at(-1), ['runs/annotate', { folder: '/w/runs/a', name: 'new name' }]);
  const before = backend.asked.length;
  vscode.answers.delete('showInputBox');
  await call('dmd.renameRun', '/w/runs/a');
  assert.equal(backend.asked.length, before, 'given up');
});

test('a run from outside the folders is no line, whoever follows it', async () => {
  await listed(record());
  backend.tell('runs/changed', record({ folder: '/elsewhere/b' }));
  assert.deepEqual(
    services.runs.list().map(({ folder }) => folder),
    ['/w/runs/a'],
  );
});

test('a line is clicked by what is selected: nothing of it is lost when it is drawn anew meanwhile', async () => {
  assert.equal(runItem(record()).command?.arguments, undefined);
  let selected = [{ folder: '/w/runs/a' }];
  const clicks = new PreviewClicks(() => selected);
  await clicks.open();
  await clicks.open();
  selected = [{ folder: '/w/runs/b' }];
  await clicks.open();
  await clicks.open({ folder: '/w/runs/c' });
  assert.deepEqual(said('executeCommand'), [
    ['dmd.openMonitor', { folder: '/w/runs/a', preview: true }],
    ['dmd.openMonitor', { folder: '/w/runs/a', preview: false }],
    ['dmd.openMonitor', { folder: '/w/runs/b', preview: true }],
    ['dmd.openMonitor', { folder: '/w/runs/c', preview: true }],
  ]);
});

test('a key is for the line that has the keyboard; where it is selected, for all that are', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ folder: `/w/runs/${name}` }));
  let focused = c!;
  const view = { selection: [a!, b!] };
  vscode.answers.set('executeCommand', (command: string) => {
    assert.equal(command, 'list.toggleSelection');
    const others = view.selection.filter((node) => node !== focused);
    view.selection = others.length < view.selection.length ? others : [...others, focused];
  });
  assert.deepEqual(await focusedRuns(view as never), [c]);
  assert.deepEqual(view.selection, [a, b]);
  focused = b!;
  assert.deepEqual(new Set(await focusedRuns(view as never)), new Set([a, b]));
});

test('F2 and Delete are for those', async () => {
  const { keybindings } = JSON.parse(await readFile(manifestFile, 'utf8')).contributes;
  const keys = Object.fromEntries(keybindings.map(({ key, ...rest }: { key: string }) => [key, rest]));
  assert.deepEqual([keys.f2.command, keys.delete.command], ['dmd.renameRun', 'dmd.deleteRun']);
  backend.answers['runs/watch'] = () => [record(), record({ folder: '/w/runs/b', name: 'b' })];
  const focused = async () => [{ folder: '/w/runs/b' }];
  registerRunCommands(extensionContext(vscode) as never, services, focused);
  vscode.answers.set('showInputBox', 'c');
  await call('dmd.renameRun', keys.f2.args);
  assert.deepEqual(backend.asked.at(-1), ['runs/annotate', { folder: '/w/runs/b', name: 'c' }]);
  await call('dmd.deleteRun', keys.delete.args);
  assert.match(String(said('showWarningMessage')[0]![0]), /A process works on "b"/);
});

test('a run that failed is resumed with changes, half the rate after a NaN; what the person types is sent', async () => {
  const config = {
    kind: 'distill',
    seed: 3,
    generator: { lr: 0.0002 },
    fake: { lr: 1e-4 },
    iterations: 100,
    tags: ['a'],
  };
  backend.answers['runs/open'] = () => ({ config: JSON.stringify(config) });
  const error = { message: 'NaN', hint: '', stop: 12 };
  await listed(record({ state: 'failed', process: null, error }));
  const shown: string[][] = [];
  const choices = ['iterations', /Resume/];
  vscode.answers.set('showQuickPick', (items: { label: string; description?: string }[]) => {
    shown.push(items.map(({ label, description }) => `${label} ${description ?? ''}`));
    const choice = choices.shift()!;
    return items.find(({ label }) => (typeof choice === 'string' ? label === choice : choice.test(label)));
  });
  vscode.answers.set('showInputBox', '200');
  await call('dmd.resumeWithChanges', '/w/runs/a');
  assert.deepEqual(shown[0], [
    '$(debug-continue) Resume generator.lr = 0.0001',
    'Change first ',
    'generator.lr 0.0002 → 0.0001',
    'fake.lr 0.0001',
    'iterations 100',
  ]);
  const set = ['generator.lr=0.0001', 'iterations=200'];
  assert.deepEqual(backend.asked.at(-1), ['runs/resume', { folder: '/w/runs/a', set }]);
  const before = backend.asked.length;
  vscode.answers.set('showQuickPick', undefined);
  await call('dmd.resumeWithChanges', '/w/runs/a');
  assert.deepEqual(
    backend.asked.slice(before).map(([method]) => method),
    ['runs/open'],
    'given up',
  );
});

test('a run that has a process is not deleted; stopping it is offered', async () => {
  await listed(record());
  await call('dmd.deleteRun', '/w/runs/a');
  assert.deepEqual(said('fs.delete'), []);
  const [[message, options, button]] = said('showWarningMessage') as [[string, { modal: boolean }, string]];
  assert.match(message, /A process works on "a"/);
  assert.deepEqual([options.modal, button], [true, 'Stop']);
  vscode.answers.set('showWarningMessage', 'Stop');
  await call('dmd.deleteRun', '/w/runs/a');
  assert.deepEqual(backend.asked.at(-1), ['runs/command', { folder: '/w/runs/a', command: 'stop' }]);
  assert.deepEqual(said('fs.delete'), []);
});

test("what the backend refuses is shown with the command's name", async () => {
  await listed(record());
  backend.answers['runs/command'] = () => {
    throw new UserError('locked', 'the run does not answer', 'Look whether it still runs.');
  };
  await call('dmd.stopRun', '/w/runs/a');
  const [[message]] = said('showErrorMessage') as [[string]];
  assert.equal(message, 'Could not stop the run: the run does not answer. Look whether it still runs.');
});

test('the status bar has one item while something runs', async () => {
  registerStatusBar(extensionContext(vscode) as never, services);
  const item = vscode.statusBarItem;
  assert.equal(item.shown, false);
  await listed(
    record({ name: 'a run with a name that is far too long' }),
    record({ folder: '/w/runs/b', state: 'paused', createdAt: null }),
  );
  assert.equal(item.shown, true);
  assert.equal(
    item.text,
    '$(pulse) a run with a name that … 1200/5000 · 24% · 12 min left +1'.replace('that …', 'that…'),
  );
  backend.tell('runs/changed', record({ state: 'failed', name: 'x' }));
  news.mark('/w/runs/a');
  assert.equal(item.text, '$(debug-pause) a 1200/5000 · 24% $(error) 1');
  backend.tell('runs/changed', record({ folder: '/w/runs/b', state: 'stopped' }));
  assert.equal(item.text, '$(error) x failed');
  assert.deepEqual((item as { backgroundColor?: { id: string } }).backgroundColor?.id, 'statusBarItem.errorBackground');
  await call('dmd.showActiveRun');
  assert.deepEqual(said('executeCommand').at(-1), ['dmd.openMonitor', '/w/runs/a']);
  news.seen('/w/runs/a');
  assert.equal(item.shown, false, 'somebody has looked');
});
