/** Health alarms of a config's last run, marked in the config: of which run, where, and until when. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ruleNames } from '../../backend/health/evaluate.ts';
import { parseConfig, valueAt } from '../../backend/protocol/config/index.ts';
import type { RunHealth, RunRecord, RunVerdict } from '../../backend/protocol/rpc/index.ts';
import type * as Marks from '../../extension/config/health-diagnostics.ts';
import { concernedKeys, identityOf, placeOf } from '../../extension/config/health-place.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import { extensionContext, load } from './extension/load.ts';
import { runRecord } from './extension/run-record.ts';

const { exports, vscode } = await load<typeof ErrorsModule & typeof Marks>(
  "export * from './extension/errors.ts'; export * from './extension/config/health-diagnostics.ts';",
);

const root = mkdtempSync(join(tmpdir(), 'dmd-health-marks-'));
after(() => rmSync(root, { recursive: true }));

interface Diagnostic {
  readonly range: { readonly start: number; readonly end: number };
  readonly message: string;
  readonly severity: string;
  source?: string;
  code?: string;
}

const text =
  '{\n  // mine\n  "kind": "distill",\n  "generator": { "lr": 1e-3 },\n  "regression": { "enabled": false }\n}\n';
let shown: Diagnostic[] | undefined;
let records: RunRecord[];
let health: Record<string, RunHealth>;
let asked: string[];
let changed: { fire(value: RunRecord | undefined): void };
let closed: { fire(value: unknown): void };
let context: ReturnType<typeof extensionContext>;

const document = {
  uri: vscode.Uri.file('/w/mine.dmd.json'),
  getText: () => text,
  positionAt: (offset: number) => offset,
};

beforeEach(() => {
  shown = undefined;
  records = [];
  health = {};
  asked = [];
  vscode.log.lines.length = 0;
  const closing = new vscode.EventEmitter<unknown>();
  closed = closing;
  Object.assign(vscode.workspace, {
    isTrusted: true,
    textDocuments: [document],
    onDidCloseTextDocument: closing.event,
  });
  Object.assign(vscode, {
    Range: class {
      readonly start: number;
      readonly end: number;
      constructor(start: number, end: number) {
        this.start = start;
        this.end = end;
      }
    },
    DiagnosticSeverity: { Warning: 'warning' },
    Diagnostic: class {
      constructor(range: unknown, message: string, severity: unknown) {
        Object.assign(this, { range, message, severity });
      }
    },
    languages: {
      createDiagnosticCollection: () => ({
        set: (uri: unknown, marks: Diagnostic[]) => {
          assert.equal(String(uri), 'file:///w/mine.dmd.json');
          shown = marks;
        },
        delete: () => {
          shown = undefined;
        },
        dispose() {},
      }),
    },
  });
  const emitter = new vscode.EventEmitter<RunRecord | undefined>();
  changed = emitter;
  const runs = { onDidChange: emitter.event, watch: async () => records };
  const backend = {
    async request({ method }: { method: string }, { folder }: { folder: string }) {
      assert.equal(method, 'runs/health');
      asked.push(folder);
      return health[folder];
    },
  };
  context = extensionContext(vscode);
  const errors = new exports.Errors(vscode.log as never);
  new exports.HealthDiagnostics(context as never, { runs, backend, errors } as never);
});

const alarm = (rule: string, severity: RunVerdict['severity'] = 'alarm'): RunVerdict => ({
  ...{ rule, title: `title of ${rule}`, severity, step: 40 },
  ...{ statement: 'The loss is 12,000 times its usual', advice: 'Lower generator.lr.' },
});

let made = 0;
/** A run folder with a config of that name; becomes the newest of the list. */
function run(name: string, verdicts: RunVerdict[], change: Partial<RunRecord> & { recorded?: number } = {}): RunRecord {
  const { recorded = 50, ...rest } = change;
  const folder = join(root, String(made++));
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.dmd.json'), JSON.stringify({ kind: 'distill', name }));
  const record = runRecord({ folder, name: `2026-${name}`, state: 'finished', ...rest });
  records.unshift(record);
  health[folder] = { step: recorded, verdicts, unjudged: [] };
  return record;
}

async function marks(): Promise<Diagnostic[]> {
  const before = shown;
  for (let turn = 0; turn < 200 && (shown === before || shown === undefined); turn++) await setTimeout(20);
  assert.deepEqual(vscode.log.lines, []);
  assert.ok(shown && shown !== before, 'the marks were renewed');
  return shown;
}
const marked = ({ range }: Diagnostic) => text.slice(range.start, range.end);

test('alarms of the last run of its name stand at their keys; a newer healthy run takes them away', async () => {
  run('mine', [alarm('gradient-scale')]);
  run('mine', [alarm('diverging'), alarm('collapse'), alarm('noise-levels'), alarm('batch-too-small', 'warning')]);
  run('another', [alarm('saturation')]);
  run('mine', [alarm('past-peak')], { kind: 'teach' });
  const found = await marks();
  assert.deepEqual(
    found.map((each) => [each.code, marked(each), each.source, each.severity]),
    [
      ['diverging', '"lr"', 'DMD health', 'warning'],
      ['collapse', '"enabled"', 'DMD health', 'warning'],
      ['noise-levels', '"kind"', 'DMD health', 'warning'],
    ],
  );
  assert.equal(
    found[0]!.message,
    'The last run, "2026-mine", in step 40: title of diverging. The loss is 12,000 times its usual. Lower generator.lr.',
  );
  // A run that has recorded nothing yet says nothing.
  const newer = run('mine', [], { state: 'running', recorded: 0 });
  changed.fire(undefined);
  assert.deepEqual((await marks()).length, 3);
  health[newer.folder] = { step: 25, verdicts: [alarm('batch-too-small', 'warning')], unjudged: [] };
  records[0] = { ...newer, state: 'finished' };
  changed.fire(records[0]);
  assert.deepEqual(await marks(), []);
});

test('a run that ended is asked for once; mere progress of one that goes on asks nothing', async () => {
  const over = run('mine', [alarm('diverging')]);
  await marks();
  changed.fire(undefined);
  await marks();
  assert.deepEqual(asked, [over.folder]);
  const going = run('mine', [alarm('collapse')], { state: 'running' });
  changed.fire(going);
  assert.equal((await marks())[0]!.code, 'collapse');
  const count = asked.length;
  const before = shown;
  changed.fire({ ...going, step: 1201 });
  await setTimeout(700);
  assert.equal(shown, before);
  assert.equal(asked.length, count);
});

test('a closed config has no marks, and nothing is asked in a workspace that is not trusted', async () => {
  run('mine', [alarm('diverging')]);
  assert.equal((await marks()).length, 1);
  closed.fire(document);
  assert.equal(shown, undefined);
  vscode.workspace.isTrusted = false;
  asked.length = 0;
  changed.fire(undefined);
  await setTimeout(700);
  assert.deepEqual([asked, shown], [[], undefined]);
});

test('every rule has its keys, and every key is one of a config', () => {
  assert.deepEqual(Object.keys(concernedKeys).sort(), [...ruleNames].sort());
  const methods = ['dmd', 'dmd2'].map((method) =>
    parseConfig(`{"kind": "distill", "method": "${method}"}`, '/w/mine.dmd.json'),
  );
  for (const key of Object.values(concernedKeys).flat()) {
    assert.ok(
      methods.some((config) => valueAt(config, key) !== undefined),
      key,
    );
  }
});

test('the place of a rule: its key, else its section, else the kind, else the beginning', () => {
  const at = (config: string, rule: string) => {
    const { offset, length } = placeOf(config, rule);
    return config.slice(offset, offset + length);
  };
  assert.equal(
    at('{"kind": "distill", "fake": {"lr": 1, "updatesPerStep": 1}}', 'fake-score-lags'),
    '"updatesPerStep"',
  );
  assert.equal(at('{"kind": "distill", "fake": {"ema": 1}}', 'fake-score-lags'), '"fake"');
  assert.equal(at('{"kind": "distill"}', 'optimizer-state'), '"kind"');
  assert.equal(at('{"kind": "distill"}', 'a rule of a later version'), '"kind"');
  assert.equal(at('{}', 'diverging'), '{');
  assert.equal(at('', 'diverging'), '');
  assert.equal(at('['.repeat(100_000), 'diverging'), '[');
  assert.deepEqual(identityOf('{"name": "a", "kind": "teach",'), { name: 'a', kind: 'teach' });
  assert.deepEqual(identityOf('{"name": 5}'), { name: null, kind: null });
});
