/** The notification of a run that ends by itself: when it comes, what it says, and what its buttons do. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { RunRecord, RunVerdict } from '../../backend/protocol/rpc/index.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import type * as News from '../../extension/run-news.ts';
import type * as Notices from '../../extension/run-notices.ts';
import { extensionContext, load } from './extension/load.ts';
import { runRecord } from './extension/run-record.ts';

const { exports, vscode } = await load<typeof ErrorsModule & typeof News & typeof Notices>(
  ['errors', 'run-news', 'run-notices'].map((name) => `export * from './extension/${name}.ts';`).join('\n'),
);

let known: Map<string, RunRecord>;
let changed: { fire(value: RunRecord | undefined): void };
let verdicts: RunVerdict[] | Error;
let context: ReturnType<typeof extensionContext>;
let news: News.RunNews;

beforeEach(() => {
  context = extensionContext(vscode);
  openWindow();
});

/** Another window on the same workspace, which remembers what the last one knew. */
function openWindow(): void {
  vscode.calls.length = 0;
  vscode.answers.clear();
  vscode.log.lines.length = 0;
  vscode.workspace.settings = {};
  known = new Map();
  verdicts = [];
  const emitter = new vscode.EventEmitter<RunRecord | undefined>();
  changed = emitter;
  const runs = { onDidChange: emitter.event, list: () => [...known.values()] };
  const backend = {
    async request({ method }: { method: string }, params: unknown) {
      assert.deepEqual([method, params], ['runs/health', { folder: '/w/runs/a' }]);
      if (verdicts instanceof Error) throw verdicts;
      return { step: 1200, verdicts, unjudged: [] };
    },
  };
  const log = { show: (...args: unknown[]) => vscode.calls.push(['log.show', ...args]) };
  news = new exports.RunNews(context.workspaceState as never);
  const services = { runs, news, backend, log, errors: new exports.Errors(vscode.log as never) };
  exports.registerRunNotices(context as never, services as never);
}

async function hear(change: Partial<RunRecord>): Promise<void> {
  const run = runRecord(change);
  known.set(run.folder, run);
  changed.fire(run);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}
/** The list as the backend first tells it. */
async function list(...records: RunRecord[]): Promise<void> {
  for (const run of records) known.set(run.folder, run);
  changed.fire(undefined);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}
const told = () => vscode.calls.filter(([name]) => /^show(Error|Warning|Information)Message$/.test(name));

const later = '2100-01-01T00:00:00.000Z';
const nan = { message: 'loss/matching became NaN in step 1201', hint: 'Lower the rate.', stop: 1201 };
const verdict = (severity: 'warning' | 'alarm', title: string): RunVerdict => ({
  ...{ rule: 'collapse', title, severity, step: 900 },
  ...{ statement: 'Samples differ by a tenth of what the teacher makes.', advice: 'Add regression.' },
});

test('a run that fails is told of once, with its error, its gravest alarm and what to do next', async () => {
  verdicts = [verdict('alarm', 'collapse'), verdict('alarm', 'saturation'), verdict('warning', 'batch')];
  await hear({});
  assert.deepEqual(told(), []);
  await hear({ state: 'failed', error: nan, endedAt: later });
  await hear({ state: 'failed', error: nan, endedAt: later, tags: ['bad'] });
  changed.fire(undefined);
  await setImmediate();
  assert.deepEqual(told(), [
    [
      'showErrorMessage',
      'The run "a" failed after step 1200: loss/matching became NaN in step 1201. Health alarm in step 900, collapse: ' +
        'Samples differ by a tenth of what the teacher makes. Add regression.',
      'Open Monitor',
      'Show the Stopped Step',
      'Resume with Changes…',
    ],
  ]);
});

test('without an alarm it says what to do next; health that cannot be read keeps nothing back', async () => {
  verdicts = [verdict('warning', 'batch')];
  await hear({});
  await hear({ state: 'failed', error: nan });
  verdicts = new Error('no numbers');
  await hear({ state: 'running' });
  await hear({ state: 'failed', error: nan });
  const text = 'The run "a" failed after step 1200: loss/matching became NaN in step 1201. Lower the rate.';
  assert.deepEqual(
    told().map(([, message]) => message),
    [text, text],
    'a run that was resumed is told of again',
  );
  assert.match(vscode.log.lines[0]![1], /no numbers/);
});

test('a run whose process is gone names the device to avoid, unless that is the processor', async () => {
  for (const device of ['cuda', 'cpu (2 threads)', '']) {
    await hear({ state: 'running', device });
    await hear({ state: 'interrupted', device });
  }
  const [onCuda, ...others] = told().map(([, message]) => String(message));
  assert.match(onCuda!, /It computed on cuda: if that happens again, avoid this device and resume on cpu\.$/);
  for (const message of others) assert.match(message, /ended without a word\.$/);
});

test('a process that is gone is a warning, what finished a word; what was stopped, and what ended before, is nothing', async () => {
  await hear({ state: 'failed', error: nan, endedAt: '2026-01-02T03:04:05.000Z' });
  await hear({ state: 'interrupted' });
  await hear({ state: 'running' });
  await hear({ state: 'stopping' });
  await hear({ state: 'stopped' });
  assert.deepEqual(told(), []);
  await hear({ state: 'running' });
  await hear({ state: 'interrupted' });
  const [warning] = told();
  assert.equal(warning![0], 'showWarningMessage');
  assert.match(String(warning![1]), /^The run "a" was interrupted after step 1200/);
  assert.deepEqual(warning!.slice(2), ['Open Monitor', 'Resume with Changes…', 'Show Log']);
  await hear({ state: 'running' });
  assert.equal(news.unseen.size, 0, 'it goes on');
  await hear({ state: 'finished', step: 5000 });
  assert.deepEqual(told()[1], ['showInformationMessage', 'The run "a" finished after step 5000.', 'Open Monitor']);
  assert.equal(news.unseen.size, 0);
});

test('a run is told of that began and failed between two lists', async () => {
  known.set('/w/runs/a', runRecord({ state: 'failed', error: nan, endedAt: later }));
  changed.fire(undefined);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  assert.equal(told().length, 1);
});

test('what ended while no window was open is told by the next one, once', async () => {
  await hear({});
  openWindow();
  assert.ok(await news.mayHaveMore([]), 'a run went on');
  await list(runRecord({ state: 'failed', error: nan, endedAt: '2026-01-02T03:04:05.000Z' }));
  assert.equal(told().length, 1);
  assert.deepEqual([...news.unseen], ['/w/runs/a']);
  openWindow();
  await list(runRecord({ state: 'failed', error: nan, endedAt: '2026-01-02T03:04:05.000Z' }));
  assert.deepEqual(told(), []);
  assert.deepEqual([...news.unseen], ['/w/runs/a'], 'until somebody looks');
  news.seen('/w/runs/a');
  openWindow();
  assert.equal(news.unseen.size, 0);
  assert.equal(await news.mayHaveMore([]), false, 'nothing is asked for nothing');
});

test('what began and ended while no window was open is told too; so are many, in one word', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'dmd-news-'));
  t.after(() => rm(root, { recursive: true }));
  await list();
  openWindow();
  assert.equal(await news.mayHaveMore([root]), false);
  await mkdir(join(root, 'night'));
  await writeFile(join(root, 'night', 'run.json'), '{}');
  await utimes(join(root, 'night', 'run.json'), 4e9, 4e9);
  assert.equal(await news.mayHaveMore([root]), true);
  const ended = (name: string, state: 'finished' | 'failed') =>
    runRecord({ folder: `/w/runs/${name}`, state, error: null, endedAt: later });
  vscode.answers.set('showInformationMessage', 'Show Runs');
  await list(ended('a', 'finished'), ended('b', 'finished'), ended('c', 'failed'), ended('d', 'finished'));
  assert.deepEqual(told(), [['showInformationMessage', '4 runs ended: 3 finished, 1 did not.', 'Show Runs']]);
  assert.deepEqual([...news.unseen], ['/w/runs/c']);
  assert.deepEqual(vscode.calls.at(-1), ['executeCommand', 'dmd.runs.focus']);
});

test('the files of another program do not say that it has ended', async () => {
  await hear({ kind: null });
  await hear({ kind: null, state: 'finished' });
  assert.deepEqual(told(), []);
});

test('a notification that stays keeps nothing back', { timeout: 180_000 }, async () => {
  for (const name of ['showErrorMessage', 'showWarningMessage', 'showInformationMessage']) {
    vscode.answers.set(name, () => new Promise(() => {}));
  }
  await hear({});
  await hear({ state: 'failed', error: nan });
  await hear({ state: 'running' });
  await hear({ state: 'finished' });
  assert.equal(told().length, 2);
});

test('dmd.notifications switches it off', async () => {
  vscode.workspace.settings = { 'dmd.notifications': false };
  await hear({});
  await hear({ state: 'failed', error: nan });
  assert.deepEqual(told(), []);
  assert.equal(news.unseen.size, 0, 'the status bar says nothing either');
});

test('its buttons open the monitor, the stopped step, a resume with changes; Show Log its run.log, or the log of the extension', async (t) => {
  const failing = async (error: RunRecord['error'] = nan) => {
    await hear({ state: 'running' });
    await hear({ state: 'failed', error });
    vscode.calls.splice(0, vscode.calls.length, ...vscode.calls.filter(([name]) => !/Message$/.test(name)));
  };
  vscode.answers.set('showErrorMessage', 'Open Monitor');
  await failing();
  assert.deepEqual(vscode.calls.splice(0), [['executeCommand', 'dmd.openMonitor', '/w/runs/a']]);
  assert.equal(news.unseen.size, 0, 'somebody has looked');
  vscode.answers.set('showErrorMessage', 'Show the Stopped Step');
  await failing();
  assert.deepEqual(vscode.calls.splice(0), [
    ['executeCommand', 'dmd.openMonitor', { folder: '/w/runs/a', stopped: 1201 }],
  ]);
  vscode.answers.set('showErrorMessage', 'Resume with Changes…');
  await failing();
  assert.deepEqual(vscode.calls.splice(0), [['executeCommand', 'dmd.resumeWithChanges', '/w/runs/a']]);
  vscode.answers.set('showErrorMessage', 'Show Log');
  const full = { message: 'the disk is full', hint: 'Free some space.' };
  await failing(full);
  await waitFor(() => vscode.calls.length > 0);
  assert.deepEqual(vscode.calls.splice(0), [['log.show', true]]);

  const folder = await mkdtemp(join(tmpdir(), 'dmd-notice-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'run.log'), 'killed\n');
  verdicts = new Error('asked of another folder');
  await hear({ folder, state: 'running' });
  await hear({ folder, state: 'failed', error: full });
  await waitFor(() => vscode.calls.some(([name]) => name === 'showTextDocument'));
  const [, uri] = vscode.calls.find(([name]) => name === 'showTextDocument')!;
  assert.equal((uri as { fsPath: string }).fsPath, join(folder, 'run.log'));
});

test('what files say is shown as text, and not at any length', async () => {
  const link = '[here](command:workbench.action.quit)';
  await hear({ name: link });
  await hear({ name: link, state: 'failed', error: { message: `${link} ${'x'.repeat(5000)}`, hint: '' } });
  const text = String(told()[0]![1]);
  assert.doesNotMatch(text, /\]\(/);
  assert.ok(text.length < 600 && text.includes('…'));
});

async function waitFor(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition() && performance.now() < end) await setImmediate();
  assert.ok(condition());
}
