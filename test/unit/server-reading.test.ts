/** What is read of a run: overview, curves, pictures, fields, CSV, the differences of configs, the command line. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { quotePosix, quotePowerShell } from '../../backend/files/shell-words.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import * as rpc from '../../backend/protocol/rpc/index.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { recordFields } from '../../backend/runs/fields/fields.ts';
import { registerRequests } from '../../backend/server/requests.ts';
import { commandOf } from '../../backend/server/runs/command-line.ts';
import { differences } from '../../backend/server/runs/compare.ts';
import { csvOf } from '../../backend/server/runs/csv.ts';
import type { RpcServer } from '../../backend/server/server.ts';
import { encodeTensors } from '../../backend/weights/tensor-file.ts';
import { uniform } from '../random.ts';
import { type Client, playBoth } from './server/connect.ts';
import { makeRun, scratchFolder } from './server/run-folders.ts';

const root = scratchFolder();
let client: Client;
let server: RpcServer;
let folder: string;
const fields = new Map([
  ['x', { shape: [2, 3], data: Float32Array.from([1, -2, 3.5, Number.NaN, 1e30, -0]) }],
  ['sigma', { shape: [1], data: Float32Array.of(80) }],
]);

{
  ({ server, client } = playBoth());
  registerRequests(server, () => {});
  server.listen();
  const run = makeRun(root, { name: 'a run' });
  folder = run.paths.folder;
  const events = openEventWriter(run.paths.events, { now: () => 1e12 });
  for (let step = 1; step <= 4; step++) {
    events.add(step, {
      scalars: { loss: step === 3 ? Number.NaN : 0.1 * step, ...(step % 2 === 0 ? { even: step } : {}) },
    });
  }
  events.close();
  for (const step of [4, 2]) recordFields(run.paths.fields, 'probe', step, fields, { metadata: { levels: '[1]' } });
  fs.writeFileSync(path.join(run.paths.samples, 'step-00000004.png'), 'a picture');
  fs.writeFileSync(path.join(run.paths.samples, '.step-00000005.png.1-00000000.tmp'), 'half a picture');
  run.update({ state: 'stopped', step: 4 });
  run.close();
}

after(async () => {
  await server.end(() => {});
  fs.rmSync(root, { recursive: true, force: true });
});

test('the overview of a run that goes on after a NaN says why it was stopped, and shows the stop', async () => {
  const run = makeRun(root, { name: 'a stop' });
  recordFields(run.paths.fields, 'stop', 3, fields);
  const failure = { hint: '', step: 2, at: '2026-11-29T04:03:28.000Z' };
  const stop = { ...failure, message: 'loss became NaN in step 3', fields: 'fields/stop/step-00000003.safetensors' };
  run.update({ state: 'running', failures: [{ ...failure, message: 'the disk is full' }, stop] });
  const overview = await client.request(rpc.openRun, { folder: run.paths.folder });
  run.close();
  assert.deepEqual(overview.fields.stop, [3]);
  assert.equal(overview.record.error, null);
  assert.deepEqual(overview.warnings, [
    'it was stopped before, at 2026-11-29T04:03:28.000Z: loss became NaN in step 3',
  ]);
});

test('the overview: record, config, tags, what is recorded', async () => {
  const { record, config, tags, samples, fields: recorded, warnings } = await client.request(rpc.openRun, { folder });
  assert.deepEqual([record.folder, record.state, record.step, record.iterations], [folder, 'stopped', 4, 100]);
  assert.equal(JSON.parse(config).kind, 'distill');
  assert.deepEqual(
    { tags, samples, recorded },
    { tags: ['even', 'loss'], samples: [4], recorded: { training: [], probe: [2, 4], stop: [] } },
  );
  assert.deepEqual(warnings, []);
});

test('curves hold every value in single precision, NaN among them, as typed arrays', async () => {
  const all = { range: null, stretches: 100, smoothing: 0 };
  const asked = { folder, tags: ['loss', 'none', 'even'], ...all };
  const [loss, none, even] = (await client.request(rpc.drawCurves, asked)).map(({ raw }) => raw);
  assert.deepEqual(loss!.steps, Float64Array.of(1, 2, 3, 4));
  assert.deepEqual(loss!.values, Float64Array.of(0.1, 0.2, Number.NaN, 0.4).map(Math.fround));
  const { times } = await client.request(rpc.readClock, { folder });
  assert.deepEqual(times.seconds, Float64Array.of(1e9, 1e9, 1e9, 1e9));
  assert.equal(none!.steps.length, 0);
  assert.deepEqual(even!.steps, Float64Array.of(2, 4));
});

test('fields come bit for bit with their metadata, pictures byte for byte', async () => {
  const { tensors, metadata, step } = await client.request(rpc.readFields, { folder, kind: 'probe', step: 2 });
  const found = new Map(tensors.map(({ name, shape, data }) => [name, { shape, data }]));
  assert.deepEqual([found, step, metadata.levels], [fields, 2, '[1]']);
  const { png } = await client.request(rpc.readSamples, { folder, step: 4 });
  assert.equal(Buffer.from(png).toString(), 'a picture');
});

test('a step that is not recorded (any more) and a damaged file are errors that name them', async () => {
  await assert.rejects(client.request(rpc.readSamples, { folder, step: 3 }), /has no samples of step 3/);
  await assert.rejects(client.request(rpc.readFields, { folder, kind: 'stop', step: 3 }), /has no stop of step 3/);
  const file = path.join(folder, 'fields', 'probe', 'step-00000009.safetensors');
  fs.writeFileSync(file, 'nothing');
  await assert.rejects(
    client.request(rpc.readFields, { folder, kind: 'probe', step: 9 }),
    (error) => error instanceof UserError && error.kind === 'weights' && error.message.includes(file),
  );
  fs.rmSync(file);
});

test('a picture that is a link to another file of the user is not shown', {
  skip: process.platform === 'win32',
}, async () => {
  const secret = path.join(root, 'secret');
  fs.writeFileSync(secret, 'secret');
  const link = path.join(folder, 'samples', 'step-00000007.png');
  fs.symlinkSync(secret, link);
  await assert.rejects(client.request(rpc.readSamples, { folder, step: 7 }), /leads out of/);
  fs.rmSync(link);
});

test('CSV has one line per step, one column per tag, NaN as NaN, and names as text', async () => {
  const csv = await client.request(rpc.exportCsv, { folder, tags: ['loss', 'even'] });
  const f = Math.fround;
  const lines = ['step,loss,even', `1,${f(0.1)},`, `2,${f(0.2)},2`, '3,NaN,', `4,${f(0.4)},4`, ''];
  assert.equal(Buffer.from(csv).toString(), lines.join('\r\n'));
  const empty = { steps: new Float64Array(), values: new Float64Array(), times: new Float64Array() };
  const tags = ['a,b', 'say "x"', '=cmd|calc', 'plain'];
  const header = await csvOf(
    tags.map((tag) => ({ tag, ...empty })),
    new AbortController().signal,
  );
  assert.equal(Buffer.from(header).toString(), 'step,"a,b","say ""x""",\'=cmd|calc,plain\r\n');
  const far = {
    tag: 'far',
    steps: Float64Array.of(1),
    values: Float64Array.of(Number.NEGATIVE_INFINITY),
    times: Float64Array.of(0),
  };
  assert.equal(Buffer.from(await csvOf([far], new AbortController().signal)).toString(), 'step,far\r\n1,-Infinity\r\n');
  await assert.rejects(csvOf([far], AbortSignal.abort()), { name: 'AbortError' });
});

test('configs are compared key by key', async () => {
  const found = differences([
    { $schema: 'x', a: 1, list: [1, 2], in: { same: true, b: 'x', only: null } },
    { $schema: 'y', a: 1, list: [1, 3], in: { same: true, b: 'y' }, new: { deep: 2 } },
  ]);
  assert.deepEqual(found, [
    { key: 'list', values: ['[1,2]', '[1,3]'] },
    { key: 'in.b', values: ['"x"', '"y"'] },
    { key: 'in.only', values: ['null', null] },
    { key: 'new.deep', values: [null, '2'] },
  ]);
  const other = makeRun(root, { name: 'other', iterations: 7 });
  other.close();
  const told = await client.request(rpc.compareConfigs, { folders: [folder, other.paths.folder, folder] });
  assert.deepEqual(told, [
    { key: 'name', values: ['"a run"', '"other"', '"a run"'] },
    { key: 'iterations', values: ['100', '7', '100'] },
  ]);
});

const words = [
  ...[
    'plain',
    '',
    ' ',
    'two words',
    "it's",
    '"quoted"',
    '$HOME',
    '`id`',
    '$(id)',
    'a;b',
    'a&&b',
    'a|b',
    '>out',
    '*',
    '~',
    '#x',
    '!x',
  ],
  ...['a\\b', 'a\nb', 'a=b', '-n', '--', '%PATH%', '\u2019', 'ü', "'; rm -rf /; '", "\\'"],
];

test('no shell misreads a word', { skip: process.platform === 'win32' && 'needs sh' }, () => {
  const line = words.map(quotePosix).join(' ');
  const printed = execFileSync('sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`], {
    encoding: 'utf8',
  });
  assert.deepEqual(printed.split('\0').slice(0, -1), words);
  const first = execFileSync('sh', ['-c', `${quotePosix('printf')} '%s' ${quotePosix('a=b')}`], { encoding: 'utf8' });
  assert.equal(first, 'a=b');
});

test("PowerShell's words stand in quotes, with every kind of single quote doubled", () => {
  assert.equal(quotePowerShell("it's"), "'it''s'");
  assert.equal(quotePowerShell('a\u2019b\u201Bc $x `y "z"'), '\'a\u2019\u2019b\u201B\u201Bc $x `y "z"\'');
  const parts = { node: 'C:\\n.exe', program: 'd.js', kind: 'teach', config: 'c', out: 'o', electron: true } as const;
  assert.equal(
    commandOf(parts, 'win32'),
    "$env:ELECTRON_RUN_AS_NODE='1'; & 'C:\\n.exe' 'd.js' 'teach' 'c' '--out' 'o'",
  );
  assert.equal(commandOf(parts, 'linux'), "ELECTRON_RUN_AS_NODE=1 'C:\\n.exe' d.js teach c --out o");
});

test('the command line of a run is one that dmd understands', { skip: process.platform === 'win32' }, async () => {
  const line = await client.request(rpc.commandLine, { folder });
  assert.match(line, /dist\/dmd\.js distill .*config\.dmd\.json/);
  assert.ok(line.endsWith(`--out ${root}`), line);
});

test('the ranges of all recorded steps, of files from before too; a damaged one is left out', async () => {
  const run = makeRun(root, { name: 'ranges' });
  const { paths } = run;
  run.close();
  const grads = new Map(
    [1, 2, 3].map((step) => [step, Float32Array.from({ length: 6 }, () => (uniform() - 0.5) * step)]),
  );
  for (const [step, data] of grads)
    recordFields(paths.fields, 'probe', step, new Map([['grad', { shape: [6], data }]]));
  // As it was written before ranges were noted.
  const old = path.join(paths.fields, 'probe', 'step-00000002.safetensors');
  fs.writeFileSync(old, encodeTensors(new Map([['grad', { shape: [6], data: grads.get(2)! }]])));
  fs.writeFileSync(path.join(paths.fields, 'probe', 'step-00000009.safetensors'), 'no such file');
  const ask = (from: number) => client.request(rpc.readFieldRanges, { folder: paths.folder, kind: 'probe', from });
  const expected = [...grads].map(([step, data]) => [step, Math.max(...data.map(Math.abs))]);
  assert.deepEqual(
    (await ask(0)).map(({ step, grad }) => [step, grad!.max]),
    expected,
  );
  assert.deepEqual(
    (await ask(2)).map(({ step }) => step),
    [2, 3],
  );
  // Recorded again, after a run went back, it is another.
  recordFields(paths.fields, 'probe', 3, new Map([['grad', { shape: [2], data: Float32Array.of(70, -80) }]]));
  assert.equal((await ask(3))[0]!.grad!.max, 80);
});
