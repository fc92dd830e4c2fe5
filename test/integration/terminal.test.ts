/** The built command and its terminal: one that is full, closed, or not there costs no run; signals end it in order. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadLatest } from '../../backend/runs/checkpoints/checkpoints.ts';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { uniform } from '../random.ts';
import { scratch, teachConfig } from '../unit/training/tiny.ts';

const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));

/** A teaching whose steps take milliseconds, or with `change` longer. */
function configIn(folder: string, change: Parameters<typeof teachConfig>[0] = {}): string {
  const file = path.join(folder, 'tiny.dmd.json');
  fs.writeFileSync(file, JSON.stringify(teachConfig({ iterations: 1_000_000, ...change })));
  return file;
}

/** A step takes a second or so, nearly all of it in native code. */
const heavy = { network: { img_resolution: 32, model_channels: 16, channel_mult: [1, 1] }, batch: 48 };

const runsOf = (folder: string) =>
  (fs.existsSync(folder) ? fs.readdirSync(folder) : []).filter((name) => !name.startsWith('.'));

/** The run in a folder, when it has come to a step. `look` is called while it has not. */
async function runAt(root: string, step: number, look = () => {}): Promise<string> {
  for (;;) {
    look();
    const [name] = runsOf(root);
    const run = name && path.join(root, name);
    if (run && fs.existsSync(path.join(run, 'run.json')) && eventBytes(run) > 2000 + 200 * step) return run;
    await delay(20);
  }
}

/** A step adds some 500 bytes. */
function eventBytes(run: string): number {
  const events = path.join(run, 'events');
  return fs.readdirSync(events).reduce((bytes, name) => bytes + fs.statSync(path.join(events, name)).size, 0);
}

function start(t: TestContext, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(process.execPath, [dmd, ...args], options);
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode, signal: child.signalCode };
  const [code, signal] = await once(child, 'exit');
  return { code, signal };
}

function full(t: TestContext): number | undefined {
  if (!fs.existsSync('/dev/full')) {
    t.skip('this system has no /dev/full');
    return undefined;
  }
  return fs.openSync('/dev/full', 'w');
}

for (const where of ['stdout', 'stderr', 'both'] as const) {
  test(`a run whose ${where} is on a full disk goes on to its end`, async (t) => {
    const device = full(t);
    if (device === undefined) return;
    const folder = scratch();
    const log = path.join(folder, 'log');
    const open = fs.openSync(log, 'w');
    const [out, err] = [where === 'stderr' ? open : device, where === 'stdout' ? open : device];
    const args = ['teach', configIn(folder), '--set', 'iterations=3', '--out', path.join(folder, 'runs')];
    for (const more of [[], ['--json']]) {
      const child = start(t, [...args, ...more], { stdio: ['ignore', out, err] });
      assert.deepEqual(await exitOf(child), { code: 0, signal: null });
    }
    for (const name of runsOf(path.join(folder, 'runs'))) {
      assert.equal(readRun(path.join(folder, 'runs', name)).state, 'finished');
    }
    assert.doesNotMatch(fs.readFileSync(log, 'utf8'), /node:|ENOSPC/);
  });
}

test('a log that fills up on the way costs the log, not the run', async (t) => {
  const mountPoint = scratch();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', mountPoint], { stdio: 'pipe' });
  } catch {
    return t.skip('mounting a tmpfs needs root on Linux');
  }
  try {
    const folder = scratch();
    const log = fs.openSync(path.join(mountPoint, 'log'), 'w');
    const args = ['teach', configIn(folder), '--set', 'iterations=60', '--json', '--out', path.join(folder, 'runs')];
    const child = start(t, args, { stdio: ['ignore', log, log] });
    assert.deepEqual(await exitOf(child), { code: 0, signal: null });
    fs.closeSync(log);
    assert.equal(fs.statSync(path.join(mountPoint, 'log')).size, 4096, 'it did fill up');
    const [name] = runsOf(path.join(folder, 'runs'));
    assert.equal(readRun(path.join(folder, 'runs', name)).state, 'finished');
  } finally {
    execFileSync('umount', [mountPoint]);
  }
});

test('a reader that goes away costs no run either', async (t) => {
  const folder = scratch();
  const args = ['teach', configIn(folder), '--set', 'iterations=12', '--json', '--out', path.join(folder, 'runs')];
  const child = start(t, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  assert.deepEqual(await exitOf(child), { code: 0, signal: null });
  const [name] = runsOf(path.join(folder, 'runs'));
  assert.equal(readRun(path.join(folder, 'runs', name)).state, 'finished');
});

test('a command that only prints fails where it cannot, with 7 and why, and ends quietly where nobody reads', async (t) => {
  const device = full(t);
  if (device === undefined) return;
  const folder = scratch();
  for (const args of [['runs', folder], ['--help'], ['devices', '--json']]) {
    const child = start(t, args, { stdio: ['ignore', device, 'pipe'] });
    let said = '';
    child.stderr!.on('data', (text) => {
      said += text;
    });
    const { code } = await exitOf(child);
    assert.equal(code, 7, `${args}: ${said}`);
    assert.match(said, /^dmd: cannot write standard output: the disk is full \(ENOSPC\)$/m);
    assert.doesNotMatch(said, /node:/);
  }
  const child = start(t, ['--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout!.destroy();
  assert.deepEqual(await exitOf(child), { code: 0, signal: null });
});

test('a closed terminal is nothing to a run that has none, as under nohup', async (t) => {
  const folder = scratch();
  const log = path.join(folder, 'log');
  const open = fs.openSync(log, 'w');
  const child = start(t, ['teach', configIn(folder), '--out', path.join(folder, 'runs')], {
    stdio: ['ignore', open, open],
  });
  const goesOn = () => {
    assert.deepEqual([child.exitCode, child.signalCode], [null, null], fs.readFileSync(log, 'utf8'));
  };
  // Also before there is a run.
  while (fs.statSync(log).size === 0) await delay(5);
  child.kill('SIGHUP');
  const run = await runAt(path.join(folder, 'runs'), 2, goesOn);
  for (let i = 0; i < 3; i++) {
    child.kill('SIGHUP');
    await delay(100);
  }
  const bytes = eventBytes(run);
  while (eventBytes(run) < bytes + 1000) {
    goesOn();
    await delay(20);
  }
  assert.equal(readRun(run).state, 'running');
  child.kill('SIGTERM');
  assert.deepEqual(await exitOf(child), { code: 130, signal: null });
  assert.equal(readRun(run).state, 'stopped');
  assert.match(fs.readFileSync(log, 'utf8'), /stopping after this step: .*SIGTERM/);
});

test('a run on a terminal that is closed stops in order and says why, in its folder too', async (t) => {
  if (process.platform !== 'linux') return t.skip('script(1) has other options here');
  const folder = scratch();
  const log = path.join(folder, 'log');
  const runs = path.join(folder, 'runs');
  // Standard error stays the terminal's.
  const command = `exec '${process.execPath}' '${dmd}' teach '${configIn(folder)}' --out '${runs}' > '${log}'`;
  const script = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => script.kill('SIGKILL'));
  const run = await runAt(runs, 2);
  const { pid } = readRun(run).owner!;
  script.kill('SIGKILL'); // the terminal goes with it
  while (readRun(run).state === 'running') await delay(20);
  assert.equal(readRun(run).state, 'stopped', `process ${pid}`);
  const { checkpoint } = await loadLatest(readRun(run).paths.checkpoints);
  assert.equal(checkpoint?.step, readRun(run).info!.step);
  assert.match(fs.readFileSync(log, 'utf8'), /stopping after this step: its terminal was closed \(SIGHUP\)/);
  assert.match(fs.readFileSync(path.join(run, 'run.log'), 'utf8'), /its terminal was closed \(SIGHUP\)/);
});

for (const [first, second] of [
  ['SIGINT', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
  ['SIGTERM', 'SIGTERM'],
] as const) {
  test(`${first} and then ${second} in the middle of a step end with 130, and the run goes on later`, async (t) => {
    const folder = scratch();
    const child = start(t, ['teach', configIn(folder, heavy), '--out', path.join(folder, 'runs')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr!.on('data', (text) => {
      said += text;
    });
    const run = await runAt(path.join(folder, 'runs'), 1);
    child.kill(first);
    await delay(uniform() * 60);
    child.kill(second);
    assert.deepEqual(await exitOf(child), { code: 130, signal: null }, said);
    assert.doesNotMatch(said, /Napi|terminate|node:/);
    const { state, owner } = readRun(run);
    // The second may have come when the first had done its work.
    assert.ok(state === 'interrupted' || state === 'stopped', state);
    assert.equal(owner, undefined);
    const on = start(t, ['teach', '--resume', run, '--until', '1'], { stdio: 'ignore' });
    assert.deepEqual(await exitOf(on), { code: 0, signal: null });
  });
}

/** Work that is no run: hears the second signal while it ends in order, or after that. */
for (const [command, first, second] of [
  ['eval', 'SIGINT', 'SIGTERM'],
  ['pairs', 'SIGTERM', 'SIGINT'],
  ['pairs', 'SIGTERM', 'SIGHUP'],
] as const) {
  test(`dmd ${command}, ${first} and then ${second}: it ends with 130`, async (t) => {
    const onTerminal = second === 'SIGHUP'; // elsewhere it is nothing
    if (onTerminal && process.platform !== 'linux') return t.skip('script(1) has other options here');
    const folder = scratch();
    const said = path.join(folder, 'said');
    const out = command === 'pairs' ? `--out '${folder}/pairs'` : '';
    const work = `'${process.execPath}' '${dmd}' ${command} builtin:scenes/teacher --count 3000 --threads 1 ${out}`;
    const script = `echo $$ > '${folder}/pid'; exec ${work} > '${said}'${onTerminal ? '' : ' 2>&1'}`;
    const child = onTerminal
      ? spawn('script', ['-qefc', script, path.join(folder, 'terminal')], { stdio: ['pipe', 'ignore', 'ignore'] })
      : spawn('bash', ['-c', script], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    const shown = () =>
      ['said', 'terminal']
        .map((name) => path.join(folder, name))
        .map((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''))
        .join('');
    while (!/\b[1-9]\d*\s*(\/|of)\s*3000/.test(shown())) await delay(20);
    const pid = Number(fs.readFileSync(path.join(folder, 'pid'), 'utf8'));
    process.kill(pid, first);
    await delay(uniform() * 100);
    try {
      process.kill(pid, second);
    } catch {
      // It has ended already.
    }
    assert.deepEqual(await exitOf(child), { code: 130, signal: null }, shown());
    assert.doesNotMatch(shown(), /Napi|terminate|node:/);
    assert.ok(!fs.existsSync(path.join(folder, 'pairs', 'run.lock')));
  });
}

/** Sends the program SIGINT again and again from where it has nothing left to do until it is no more. */
const signalsAtTheEnd = `data:text/javascript,${encodeURIComponent(`
  import { spawn } from 'node:child_process';
  process.on('exit', () => {
    spawn('sh', ['-c', 'while kill -INT ' + process.pid + '; do :; done'], { stdio: 'ignore', detached: true }).unref();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  });`)}`;

test('a signal that comes when the work is done leaves the exit code as it is', async (t) => {
  const work = ['sample', 'builtin:scenes', '--threads', '1', '--out', path.join(scratch(), 'out')];
  const child = spawn(process.execPath, ['--import', signalsAtTheEnd, dmd, ...work], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  assert.deepEqual(await exitOf(child), { code: 0, signal: null });
});

/** Sends the program a signal so many milliseconds after its first lines, before anything is loaded that could hear it. */
const signalAfter = (milliseconds: number, signal: string) =>
  `data:text/javascript,${encodeURIComponent(`
    const on = process.on;
    process.on = function (name, ...rest) {
      if (name === 'exit') {
        process.on = on;
        setTimeout(() => process.kill(process.pid, '${signal}'), ${milliseconds});
      }
      return on.call(this, name, ...rest);
    };`)}`;

for (const command of ['pairs', 'eval', 'sample', 'teach'] as const) {
  test(`dmd ${command}: a signal before its work began ends it with 130, and leaves nothing half made`, async (t) => {
    for (const [signal, milliseconds] of [
      ['SIGTERM', 0],
      ['SIGINT', 0],
      ['SIGTERM', 400 * uniform()],
    ] as const) {
      const folder = scratch();
      const out = path.join(folder, 'out');
      const what = command === 'teach' ? [configIn(folder)] : ['builtin:scenes/teacher'];
      const where = command === 'eval' ? ['--count', '3000'] : ['--out', out];
      const child = spawn(
        process.execPath,
        ['--import', signalAfter(milliseconds, signal), dmd, command, ...what, ...where],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      t.after(() => child.kill('SIGKILL'));
      let said = '';
      child.stderr.on('data', (text) => {
        said += text;
      });
      assert.deepEqual(await exitOf(child), { code: 130, signal: null }, `${milliseconds} ms: ${said}`);
      assert.doesNotMatch(said, /Napi|terminate|node:/);
      // A run may have begun by then, and has ended in order.
      if (milliseconds === 0 && command !== 'teach') assert.ok(!fs.existsSync(out), 'nothing was begun');
      assert.ok(!fs.existsSync(path.join(out, 'run.lock')));
      for (const run of command === 'teach' ? runsOf(out) : []) {
        assert.notEqual(readRun(path.join(out, run)).state, 'running');
      }
    }
  });
}

test('what the system refuses a command ends with 7 and the path', async () => {
  const folder = scratch();
  fs.symlinkSync(path.join(folder, 'b'), path.join(folder, 'a'));
  fs.symlinkSync(path.join(folder, 'a'), path.join(folder, 'b'));
  const loop = path.join(folder, 'a');
  const config = configIn(folder);
  const cases: [args: string, words: RegExp][] = [
    [`runs '${loop}'`, /cannot read .*\/a: links in the path lead round in a circle \(ELOOP\)/],
    [`teach '${config}' --out '${loop}/x'`, /\/a\/x(\/pairs\.json)?: links .*\(ELOOP\)/],
    [`teach '${loop}'`, /\/a: links .*\(ELOOP\)/],
    [`teach --data '${loop}'`, /\/a: links .*\(ELOOP\)/],
    [`sample --out '${loop}'`, /\/a: links .*\(ELOOP\)/],
    [`pairs --out '${loop}/x'`, /\/a\/x(\/pairs\.json)?: links .*\(ELOOP\)/],
  ];
  if (process.platform === 'linux') cases.push([`teach '${config}' --out /proc/x`, /cannot create \/proc\/x: /]);
  const limited = `ulimit -f 100; teach`;
  cases.push([`${limited} '${config}' --set iterations=2 --out '${folder}/y'`, /\/y\/.*: .*\(EFBIG\)/]);
  for (const [args, words] of cases) {
    const [prefix, rest] = args.includes('; ') ? args.split('; ') : ['true', args];
    const shell = spawn('bash', ['-c', `${prefix}; exec '${process.execPath}' '${dmd}' ${rest}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 300_000,
    });
    let said = '';
    shell.stderr.on('data', (text) => {
      said += text;
    });
    const { code } = await exitOf(shell);
    assert.equal(code, 7, `${args}: ${said}`);
    assert.match(said, words);
    assert.doesNotMatch(said, /bug/);
  }
});
