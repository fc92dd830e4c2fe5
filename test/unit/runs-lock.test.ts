import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { acquireLock, lockName, readLock, renewForThread } from '../../backend/runs/folder/lock.ts';
import { thisProcess } from '../../backend/runs/folder/process-identity.ts';
import { sourceLoader } from '../loader.ts';

const lockModule = JSON.stringify(path.resolve('backend/runs/folder/lock.ts'));

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-lock-'));
}

/** A process that runs `code` with the lock module, and has said its first word. */
async function child(code: string): Promise<{ process: ChildProcess; word: string }> {
  const script = `const { acquireLock } = await import(${lockModule}); ${code}`;
  const args = ['--import', sourceLoader, '--input-type=module', '--eval', script];
  const started = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [first] = (await once(started.stdout!, 'data')) as [Buffer];
  return { process: started, word: first.toString().trim() };
}

/** Waits for its standard input to end, so that it goes when the test does. */
const holdIn = (folder: string) =>
  `acquireLock(${JSON.stringify(folder)}, { contact: 'socket-7' }); console.log('held'); process.stdin.resume();`;

test('a lock of another hand lacks or mistakes parts: it is nobody, or one who takes no commands', () => {
  const folder = scratch();
  const { pid, host } = thisProcess();
  const owner = { pid, host, since: '2026-01-01T00:00:00.000Z' };
  const put = (value: unknown) => fs.writeFileSync(path.join(folder, lockName), JSON.stringify(value));
  put(owner);
  assert.deepEqual(readLock(folder), { ...owner, birth: '', contact: '' });
  for (const wrong of [{ ...owner, contact: 5 }, { ...owner, pid: 1.5 }, { ...owner, host: null }, [], null, 'x']) {
    put(wrong);
    assert.equal(readLock(folder), undefined, JSON.stringify(wrong));
  }
});

test('the second process is told who holds the folder and since when', async (t) => {
  const folder = scratch();
  const holder = await child(holdIn(folder));
  t.after(() => holder.process.kill('SIGKILL'));
  const before = readLock(folder);
  assert.equal(before?.pid, holder.process.pid);
  assert.equal(before?.contact, 'socket-7');
  assert.throws(
    () => acquireLock(folder),
    (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'locked');
      assert.match(error.message, new RegExp(`process ${holder.process.pid} .* since ${before?.since}`));
      assert.ok(error.message.includes(folder));
      assert.match(error.hint, new RegExp(`${holder.process.pid}`));
      return true;
    },
  );

  holder.process.kill('SIGKILL');
  await once(holder.process, 'exit');
  assert.ok(fs.existsSync(path.join(folder, lockName)), 'kill -9 leaves the file behind');
  assert.equal(readLock(folder), undefined);
  const lock = acquireLock(folder);
  assert.equal(readLock(folder)?.pid, process.pid);
  lock.release();
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('a process that exits gives its lock back', async () => {
  const folder = scratch();
  const holder = await child(`acquireLock(${JSON.stringify(folder)}); console.log('held'); process.exit(3);`);
  if (holder.process.exitCode === null) await once(holder.process, 'exit');
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('the same process cannot take it twice, and can take it again after release', () => {
  const folder = scratch();
  const lock = acquireLock(folder);
  assert.throws(() => acquireLock(folder), /in use/);
  lock.release();
  lock.release();
  acquireLock(folder).release();
});

/** A lock as some other process would have left it, touched `age` seconds ago. */
function foreignLock(folder: string, owner: object, age: number): void {
  const file = path.join(folder, lockName);
  fs.writeFileSync(file, JSON.stringify({ since: '2025-01-01T00:00:00Z', contact: '', ...owner }));
  const then = new Date(Date.now() - age * 1000);
  fs.utimesSync(file, then, then);
}

test('a lock of another host holds as long as its lease', () => {
  const folder = scratch();
  foreignLock(folder, { pid: 1, host: 'elsewhere', birth: '' }, 30);
  assert.throws(() => acquireLock(folder), /process 1 on elsewhere/);
  foreignLock(folder, { pid: 1, host: 'elsewhere', birth: '' }, 90);
  acquireLock(folder).release();
});

test('a pid that is used again by another process does not hold the lock', (t) => {
  const folder = scratch();
  const lock = acquireLock(folder);
  const owner = { ...lock.owner };
  lock.release();
  if (owner.birth === '') return t.skip('this system does not say when a process was started');
  foreignLock(folder, owner, 5000);
  assert.throws(() => acquireLock(folder), /in use/, 'our own lock, long not renewed: we are alive all the same');
  foreignLock(folder, { ...owner, birth: `${owner.birth}1` }, 0);
  acquireLock(folder).release();
});

test('a lock file cut off by a crash holds for the lease only', () => {
  const folder = scratch();
  const file = path.join(folder, lockName);
  fs.writeFileSync(file, '{"pid":');
  assert.throws(() => acquireLock(folder), { name: 'UserError', kind: 'locked' });
  fs.utimesSync(file, 1, 1);
  acquireLock(folder).release();
});

test('renewing touches the lease, and reports a lock that was taken over', () => {
  const folder = scratch();
  const file = path.join(folder, lockName);
  const lock = acquireLock(folder);
  fs.utimesSync(file, 1, 1);
  lock.renew();
  assert.ok(Date.now() - fs.statSync(file).mtimeMs < 5000);

  fs.rmSync(file);
  foreignLock(folder, { pid: 1, host: 'elsewhere', birth: '' }, 0);
  assert.throws(() => lock.renew(), { name: 'UserError', kind: 'locked' });
  lock.release();
  assert.ok(fs.existsSync(file), 'the lock of the other one stays');
});

test('the timer renews the lease', async () => {
  const folder = scratch();
  const file = path.join(folder, lockName);
  const lock = acquireLock(folder, { leaseSeconds: 0.3 });
  fs.utimesSync(file, 1, 1);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.ok(Date.now() - fs.statSync(file).mtimeMs < 5000);
  lock.release();
});

test('of many processes that find a dead lock, one gets it', async () => {
  const folder = scratch();
  foreignLock(folder, { pid: 1, host: 'elsewhere', birth: '' }, 1000);
  const code = `
    await new Promise((resolve) => process.stdin.once('data', resolve.bind(null)) && console.log('ready'));
    try { acquireLock(${JSON.stringify(folder)}); console.log('got it'); } catch (error) { console.log(error.kind); }
    process.stdin.resume();`;
  const children = await Promise.all([child(code), child(code), child(code)]);
  const answers = children.map(async ({ process: one }) => {
    const answer = once(one.stdout!, 'data');
    one.stdin!.write('go\n');
    const [data] = (await answer) as [Buffer];
    return data.toString().trim();
  });
  assert.deepEqual((await Promise.all(answers)).sort(), ['got it', 'locked', 'locked']);
  await Promise.all(
    children.map(async ({ process: one }) => {
      one.stdin!.end();
      await once(one, 'exit');
    }),
  );
  assert.deepEqual(fs.readdirSync(folder), []);
});

/** What a system says that has no birth times, such as macOS: only whether there is a process of that id. */
const withoutBirths = (...pids: number[]) => ({ isThere: (pid: number) => pids.includes(pid), birthOf: () => '' });

test('where nobody knows when a process was started, one with the same id holds a lock for its lease only', () => {
  const folder = scratch();
  const { host } = thisProcess();
  const dead = { pid: 4711, host, birth: '' };
  const processes = withoutBirths(4711);
  foreignLock(folder, dead, 90);
  assert.equal(readLock(folder, processes), undefined, 'another program has its id now');
  acquireLock(folder, { processes }).release();

  foreignLock(folder, dead, 30);
  assert.equal(readLock(folder, processes)?.pid, 4711, 'it renewed its lease a moment ago');
  assert.throws(() => acquireLock(folder, { processes }), {
    kind: 'locked',
    hint: /if it is dead, try again in \d+ s/,
  });
  assert.equal(readLock(folder, withoutBirths()), undefined, 'no process of that id: dead, whatever the lease');
  acquireLock(folder, { processes: withoutBirths() }).release();
});

test('where births are known the lease does not matter', () => {
  const folder = scratch();
  const { host } = thisProcess();
  const processes = { isThere: () => true, birthOf: () => 'boot 7' };
  foreignLock(folder, { pid: 4711, host, birth: 'boot 7' }, 5000);
  assert.equal(readLock(folder, processes)?.pid, 4711);
  foreignLock(folder, { pid: 4711, host, birth: 'boot 6' }, 0);
  assert.equal(readLock(folder, processes), undefined);
});

test('another thread renews the lease, never that of a lock that was taken over', async (t) => {
  const folder = scratch();
  const file = path.join(folder, lockName);
  const lock = acquireLock(folder);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const end = renewForThread(folder);
  fs.utimesSync(file, 1, 1);
  t.mock.timers.tick(10_000);
  assert.ok(Date.now() - fs.statSync(file).mtimeMs < 5000);
  fs.rmSync(file);
  foreignLock(folder, { pid: 1, host: 'elsewhere', birth: '' }, 1000);
  t.mock.timers.tick(10_000);
  assert.ok(Date.now() - fs.statSync(file).mtimeMs > 900_000);
  end();
  lock.release();
  renewForThread(path.join(folder, 'nowhere'))();
});

test('a folder that is deleted, moved or replaced is told as that', () => {
  for (const lose of [
    (folder: string) => fs.rmSync(folder, { recursive: true }),
    (folder: string) => fs.renameSync(folder, `${folder}-elsewhere`),
    (folder: string) => {
      fs.renameSync(folder, `${folder}-before`);
      fs.mkdirSync(folder);
    },
  ]) {
    const folder = scratch();
    const lock = acquireLock(folder);
    assert.equal(lock.folderGone(), undefined);
    lose(folder);
    const error = lock.folderGone();
    assert.ok(error?.kind === 'io' && error.message.includes(folder));
    assert.throws(() => lock.renew(), { kind: 'io', message: /deleted, moved or replaced/ });
    lock.release();
  }
});
