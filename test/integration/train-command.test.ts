/** `dmd distill` and `dmd teach` as a person or a script uses them, from the built command. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { scratch, teachConfig, tinyTeacher } from '../unit/training/tiny.ts';

const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(cwd: string, args: readonly string[], onOutput?: (child: ChildProcess, all: string) => void) {
  const child = spawn(process.execPath, [dmd, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
    onOutput?.(child, stdout + stderr);
  });
  child.stderr.on('data', (text) => {
    stderr += text;
    onOutput?.(child, stdout + stderr);
  });
  return once(child, 'close').then(([code]): Finished => ({ code, stdout, stderr }));
}

function writeConfig(folder: string, config: object): string {
  const file = path.join(folder, 'tiny.dmd.json');
  fs.writeFileSync(file, `// a tiny run\n${JSON.stringify(config)}`);
  return file;
}

function runIn(folder: string): string {
  const [name] = fs.readdirSync(path.join(folder, 'runs'));
  return path.join(folder, 'runs', name);
}

const small = ['--device', 'cpu', '--threads', '1', '--batch', '2'];
const quiet = ['samplesEvery', 'fieldsEvery', 'probeEvery', 'histogramsEvery'].flatMap((key) => [
  '--set',
  `record.${key}=0`,
]);

test('distil with flags alone; plain lines say the rate, the losses and where the generator is', async () => {
  const folder = scratch();
  await tinyTeacher(folder);
  const args = ['distill', '--teacher', 'teacher.safetensors', '--iterations', '3', ...small, ...quiet, '--half'];
  const pairs = ['--set', 'regression.pairs.count=4', '--set', 'regression.pairs.steps=2'];
  const { code, stdout, stderr } = await start(folder, [...args, ...pairs]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Run in runs\/\d{4}-\d\d-\d\d-distill$/m);
  assert.match(stdout, /^Device cpu, 1 threads/m);
  assert.match(stdout, /^Wrote runs\/.*generator\.safetensors$/m);
  assert.match(stderr, /^pairs: 4\/4(?! pairs)/m);
  assert.match(stderr, /^distill: 3\/3 it.*left, matching .*, regression .*, fake /m);
  const [half, whole] = [path.join(runIn(folder), 'generator.safetensors'), path.join(folder, 'teacher.safetensors')];
  assert.ok(fs.statSync(half).size < 0.6 * fs.statSync(whole).size, 'float16');
});

test('Ctrl-C finishes the iteration, says how to go on, and --resume does; --json has one object per line', async () => {
  const folder = scratch();
  const config = writeConfig(folder, teachConfig({ iterations: 100_000 }));
  let sent = false;
  const stopped = await start(folder, ['teach', config], (child, output) => {
    if (sent || !output.includes('teach: ')) return;
    sent = true;
    child.kill('SIGINT');
  });
  assert.equal(stopped.code, 130, stopped.stderr);
  const [, step] = /Stopped at step (\d+) of 100000\. Go on with: dmd teach --resume (\S+)/.exec(stopped.stdout) ?? [];
  const run = runIn(folder);
  assert.equal(readRun(run).info!.step, Number(step));
  assert.equal(readRun(run).state, 'stopped');

  const iterations = Number(step) + 2;
  const resume = ['teach', '--resume', path.relative(folder, run), '--set', `iterations=${iterations}`, '--json'];
  const finished = await start(folder, resume);
  assert.equal(finished.code, 0, finished.stdout + finished.stderr);
  const events = finished.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.filter(({ event }) => event === 'step').map((event) => event.step),
    [iterations - 1, iterations],
  );
  const [opened, ended] = [events.find(({ event }) => event === 'opened'), events.at(-1)];
  assert.equal(opened.step, Number(step));
  assert.deepEqual([ended.event, ended.state, ended.step], ['ended', 'finished', iterations]);
  assert.equal(path.basename(ended.files[0]), 'teacher.safetensors');
});

test('Ctrl-C twice ends at once; what is there is an interrupted run', async () => {
  const folder = scratch();
  // One iteration takes minutes: only the second signal can end this in time.
  const network = { img_resolution: 32, model_channels: 64, channel_mult: [1, 2] };
  const config = writeConfig(folder, teachConfig({ network, batch: 64, iterations: 9 }));
  const signalled: number[] = [];
  const { code, stderr } = await start(folder, ['teach', config, '--set', 'accumulation=50'], (child, output) => {
    if (signalled.length === 0 && output.includes('compiling')) signalled.push(Date.now()) && child.kill('SIGINT');
    if (signalled.length === 1 && output.includes('once more')) signalled.push(Date.now()) && child.kill('SIGINT');
  });
  assert.equal(code, 130, stderr);
  assert.equal(signalled.length, 2);
  assert.equal(readRun(runIn(folder)).state, 'interrupted');
});

test('a wrong config ends with 2, names key, line and what was meant, and writes nothing', async () => {
  const folder = scratch();
  fs.writeFileSync(path.join(folder, 'a.dmd.json'), '{\n  "kind": "distill",\n  "regresion": { "lambda": 1 }\n}');
  const { code, stderr } = await start(folder, ['distill', 'a.dmd.json']);
  assert.equal(code, 2);
  assert.match(stderr, /a\.dmd\.json:3:3: unknown key "regresion"; did you mean "regression"\?/);
  const other = await start(folder, ['teach', 'a.dmd.json', '--json']);
  assert.equal(other.code, 2);
  assert.deepEqual(fs.readdirSync(folder), ['a.dmd.json']);
});

test('usage errors end with 2; missing weights with 3', async () => {
  const folder = scratch();
  const kinds = await start(folder, ['teach', writeConfig(folder, { kind: 'distill' })]);
  assert.equal(kinds.code, 2);
  assert.match(kinds.stderr, /is of the kind "distill".*\n.*dmd distill/);
  const preset = await start(folder, ['distill', '--preset', 'cifar']);
  assert.equal(preset.code, 2);
  assert.match(preset.stderr, /no preset 'cifar' of dmd distill/);
  const both = await start(folder, ['distill', '--resume', folder, 'tiny.dmd.json']);
  assert.match(both.stderr, /--resume goes on with the config of the run/);
  const missing = await start(folder, ['distill', '--teacher', 'no.pkl', ...small]);
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /no\.pkl: no such file/);
});

test('a run that becomes infinite ends with 6 and says where its tensors are', async () => {
  const folder = scratch();
  const config = writeConfig(folder, teachConfig({ optimizer: { lr: 1e30, warmup: 0 } }));
  const { code, stderr } = await start(folder, ['teach', config]);
  assert.equal(code, 6, stderr);
  const [, file] = /its tensors are in (\S+)/.exec(stderr) ?? [];
  assert.ok(fs.existsSync(file), stderr);
});
