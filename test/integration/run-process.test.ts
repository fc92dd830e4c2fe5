/** Runs that outlive whoever started them, and can be found and commanded again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunMessage, RunMessageOf } from '../../backend/protocol/run-messages.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { connectRunIn, type RunLink } from '../../backend/runs/live/link.ts';
import { type StartedRun, startRunProcess } from '../../backend/runs/live/start.ts';
import type { RunRequest } from '../../backend/runs/loop/open.ts';
import { distillConfig, scratch, teachConfig, tinyTeacher } from '../unit/training/tiny.ts';

const fromSources = ['--import', new URL('../sources.mjs', import.meta.url).href];
const starter = fileURLToPath(new URL('./run-process/starter.ts', import.meta.url));
const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const withProbe = { steps: true, records: true, notes: true, probe: true };
const runtime = scratch();
const started: number[] = [];

process.env.XDG_RUNTIME_DIR = runtime;
after(() => {
  for (const pid of started) if (isThere(pid)) process.kill(pid, 'SIGKILL');
});

function request(config: object): RunRequest {
  return { start: { config, root: path.join(scratch(), 'deep', 'runs') } as RunRequest['start'], set: [], half: false };
}

async function endlessDistillation(): Promise<RunRequest> {
  return request(distillConfig(await tinyTeacher(scratch()), { iterations: 1_000_000 }));
}

/** The next message of a type, and whatever came before it. */
function follow(link: RunLink) {
  let messages: RunMessage[] = [];
  let heard = () => {};
  link.onMessage((message) => {
    messages.push(message);
    heard();
  });
  return async function next<T extends RunMessage['type']>(
    type: T,
    fits: (message: RunMessageOf<T>) => boolean = () => true,
  ): Promise<RunMessageOf<T>> {
    for (;;) {
      const index = messages.findIndex((message) => message.type === type && fits(message as RunMessageOf<T>));
      if (index >= 0) {
        const found = messages[index];
        messages = messages.slice(index + 1);
        return found as RunMessageOf<T>;
      }
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie waits for a parent that may never look.
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Nothing tells of the end of a process that is not a child. */
async function gone(pid: number): Promise<void> {
  while (isThere(pid)) await delay(20);
}

const leftovers = (folder: string) => fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'));
const sockets = () => fs.readdirSync(path.join(runtime, 'dmd-workbench'));

test('kill -9 the starter: the run goes on, is found by its lock, and takes every command', async () => {
  const order = await endlessDistillation();
  const args = [...fromSources, starter, JSON.stringify(order)];
  const parent = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [word] = (await once(parent.stdout, 'data')) as [Buffer];
  const { folder, pid, contact }: StartedRun = JSON.parse(word.toString());
  started.push(pid);
  parent.kill('SIGKILL');
  await once(parent, 'exit');

  const { owner } = readRun(folder);
  assert.deepEqual([owner?.pid, owner?.contact], [pid, contact]);
  const link = await connectRunIn(folder);
  const next = follow(link);
  assert.equal(link.greeting.opened.folder, folder);
  const { step } = await next('step');
  await next('step', (message) => message.step === step + 1);

  process.kill(pid, 'SIGHUP'); // as when a terminal closes
  const paused = await link.ask(runRequests.pause, {});
  assert.equal(readRun(folder).state, 'paused');
  await next('state', ({ state }) => state === 'paused');
  await link.ask(runRequests.subscribe, withProbe);
  const probe = await next('probe');
  assert.equal(probe.step, paused.step);
  assert.deepEqual(probe.tensors.find(({ name }) => name === 'muReal')?.shape, [5, 4, 3, 8, 8]);
  const checkpoint = await link.ask(runRequests.checkpoint, {});
  assert.equal(checkpoint.step, probe.step);
  assert.ok(fs.existsSync(path.join(checkpoint.path, 'manifest.json')));
  const shown = probe.tensors.find(({ name }) => name === 'muReal')!;
  const read = await link.ask(runRequests['tensors/read'], { name: 'probe/muReal', from: 1, to: 3 });
  const each = shown.data.length / shown.shape[0]!;
  assert.deepEqual(read, {
    step: probe.step,
    tensor: { name: 'probe/muReal', shape: [2, 4, 3, 8, 8], data: shown.data.slice(each, 3 * each) },
  });

  link.close();
  const again = await connectRunIn(folder);
  const after = follow(again);
  assert.deepEqual([again.greeting.state, again.greeting.step], ['paused', probe.step]);
  await again.ask(runRequests.resume, {});
  assert.equal((await after('step')).step, probe.step + 1);

  const closed = new Promise((resolve) => again.onClose(resolve));
  const stopped = await again.ask(runRequests.stop, {});
  await after('state', ({ state }) => state === 'stopping');
  const ended = await after('ended');
  assert.equal(ended.state, 'stopped');
  assert.equal(stopped.step, ended.step);
  assert.ok(fs.existsSync(path.join(stopped.path!, 'manifest.json')));
  assert.equal(await closed, '');
  await gone(pid);
  const { state, info, owner: nobody } = readRun(folder);
  assert.deepEqual([state, info?.step, nobody], ['stopped', ended.step, undefined]);
  const log = fs.readFileSync(path.join(folder, 'run.log'), 'utf8');
  assert.match(log, /run in .*\n(.*\n)*.* paused\n(.*\n)*.* stopped at step/);
  assert.deepEqual([leftovers(path.dirname(folder)), sockets()], [[], []]);
});

test('the process leads a session of its own; SIGTERM stops it with a checkpoint; a new one goes on', async () => {
  const options = { execArgv: fromSources };
  const first = await startRunProcess(await endlessDistillation(), options);
  started.push(first.pid);
  if (process.platform === 'linux') {
    const stat = fs.readFileSync(`/proc/${first.pid}/stat`, 'latin1');
    const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    assert.equal(Number(session), first.pid);
  }
  const link = await connectRunIn(first.folder);
  const next = follow(link);
  await next('step');
  process.kill(first.pid, 'SIGTERM');
  const { step } = await next('ended');
  await gone(first.pid);
  assert.ok(fs.readdirSync(runPaths(first.folder).checkpoints).some((name) => name.endsWith(String(step))));

  const second = await startRunProcess({ start: { folder: first.folder }, set: [], half: false }, options);
  started.push(second.pid);
  assert.equal(second.folder, first.folder);
  const again = await connectRunIn(second.folder);
  assert.deepEqual([again.greeting.opened.step, again.greeting.opened.restartAt], [step, step + 1]);
  process.kill(second.pid, 'SIGTERM');
  await gone(second.pid);
  const log = fs.readFileSync(path.join(first.folder, 'run.log'), 'utf8');
  assert.equal(log.match(/ stopped at step/g)?.length, 2, log);
});

test('a start that fails says why and leaves nothing', async () => {
  const order = request(distillConfig(path.join(scratch(), 'missing.pkl')));
  const { root } = order.start as { root: string };
  const existing = path.dirname(path.dirname(root));
  const nothingLeft = () => assert.deepEqual(fs.readdirSync(existing), []);
  const options = { execArgv: fromSources };
  await assert.rejects(startRunProcess(order, options), {
    name: 'UserError',
    kind: 'weights',
    message: /missing\.pkl/,
  });
  nothingLeft();
  const notARun = { start: { folder: existing }, set: [], half: false };
  await assert.rejects(startRunProcess(notARun, options), {
    name: 'UserError',
    kind: 'data',
    message: /not a run folder/,
  });
  nothingLeft();
  const crash = ['--import', 'data:text/javascript,console.error("out of luck");process.exit(9)'];
  await assert.rejects(startRunProcess(order, { execArgv: crash }), {
    message: /ended before .*\(exit code 9\)\nout of luck/,
  });
  nothingLeft();
  const signal = AbortSignal.abort();
  await assert.rejects(startRunProcess(order, { ...options, signal }), { name: 'UserError', kind: 'cancelled' });
  nothingLeft();
});

test('a run in a terminal is found the same way, and stopped from elsewhere it says so', async () => {
  const cwd = scratch();
  fs.writeFileSync(path.join(cwd, 'tiny.dmd.json'), JSON.stringify(teachConfig({ iterations: 1_000_000 })));
  const child = spawn(process.execPath, [dmd, 'teach', 'tiny.dmd.json'], { cwd });
  let [stdout, stderr] = ['', ''];
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  await new Promise<void>((resolve) =>
    child.stdout.on('data', (text) => {
      stdout += text;
      if (stdout.includes('Device')) resolve();
    }),
  );
  const [name] = fs.readdirSync(path.join(cwd, 'runs'));
  const link = await connectRunIn(path.join(cwd, 'runs', name));
  assert.equal(readRun(path.join(cwd, 'runs', name)).owner?.pid, child.pid);
  await assert.rejects(link.ask(runRequests.subscribe, withProbe), { kind: 'usage' });
  const next = follow(link);
  await next('step');
  await link.ask(runRequests.pause, {});
  await next('state', ({ state }) => state === 'paused');
  await link.ask(runRequests.stop, {});
  const { step } = await next('ended');
  const [code] = await once(child, 'close');
  assert.equal(code, 130, stderr);
  assert.match(stdout, new RegExp(`Stopped at step ${step} of`));
  assert.match(stderr, /paused from another window.*\n(.*\n)*stopping after this step, as another window asked/);
  assert.deepEqual(sockets(), []);
});
