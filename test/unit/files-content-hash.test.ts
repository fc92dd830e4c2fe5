/** Hashes of what files hold: those of `sha256sum`, kept where they took long, and never kept wrongly. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { hashFile, hashFolder } from '../../backend/files/content-hash.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-hashes-'));
const caches = path.join(root, 'cache', 'dmd-workbench', 'hashes');
process.env.XDG_CACHE_HOME = path.join(root, 'cache');
after(() => fs.rmSync(root, { recursive: true }));

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const kept = () => (fs.existsSync(caches) ? fs.readdirSync(caches).filter((name) => !name.startsWith('.')) : []);
const large = 34_000_003;

test('a file of any size has the hash that sha256sum prints', async () => {
  for (const size of [0, 1, 2 ** 22, 2 ** 22 + 7, 3 * 2 ** 22 - 1]) {
    const bytes = randomBytes(size);
    const file = path.join(root, 'some');
    fs.writeFileSync(file, bytes);
    assert.equal(await hashFile(file), sha256(bytes), String(size));
  }
});

test('a folder is the list of its files, wherever it lies; another byte or name makes another one', async () => {
  const folder = path.join(root, 'set one');
  const files: Record<string, Uint8Array> = { 'a b/2.png': randomBytes(91), '1.png': randomBytes(7) };
  for (const [name, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), bytes);
  }
  const names = Object.keys(files);
  const hash = await hashFolder(folder, names);
  assert.equal(hash, sha256(names.map((name) => `${sha256(files[name]!)}  ${name}\n`).join('')));
  const moved = path.join(root, 'moved');
  fs.renameSync(folder, moved);
  assert.equal(await hashFolder(moved, names), hash);
  fs.renameSync(path.join(moved, '1.png'), path.join(moved, '3.png'));
  assert.notEqual(await hashFolder(moved, ['a b/2.png', '3.png']), hash);
  const first = path.join(moved, 'a b/2.png');
  fs.writeFileSync(
    first,
    files['a b/2.png']!.map((byte, i) => (i === 50 ? byte ^ 1 : byte)),
  );
  fs.renameSync(path.join(moved, '3.png'), path.join(moved, '1.png'));
  assert.notEqual(await hashFolder(moved, names), hash);
});

test('what took long is kept once it has settled, and counts as long as nothing was written', async () => {
  const file = path.join(root, 'large');
  const bytes = randomBytes(large);
  fs.writeFileSync(file, bytes);
  fs.utimesSync(file, 1e9, 1e9);
  await hashFile(file);
  assert.deepEqual(kept(), [], 'it may change again within the same tick of the clock');
  await wait(2100);
  assert.equal(await hashFile(file), sha256(bytes));
  const [name, ...others] = kept();
  assert.deepEqual(others, []);
  const planted = sha256('planted');
  fs.writeFileSync(path.join(caches, name!), planted);
  assert.equal(await hashFile(file), planted, 'not read again');
  fs.writeFileSync(path.join(caches, name!), 'no hash at all');
  assert.equal(await hashFile(file), sha256(bytes), 'nonsense in the cache is none');
  fs.writeFileSync(path.join(caches, name!), planted);

  // Same size, same time of writing: only the time that nobody can set tells.
  bytes[large - 1]! ^= 0x40;
  const handle = fs.openSync(file, 'r+');
  fs.writeSync(handle, bytes, large - 1, 1, large - 1);
  fs.closeSync(handle);
  fs.utimesSync(file, 1e9, 1e9);
  assert.equal(await hashFile(file), sha256(bytes));
});

test('a cache that cannot be written is none', async () => {
  const home = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = path.join(root, 'large');
  try {
    assert.equal(await hashFile(path.join(root, 'large')), sha256(fs.readFileSync(path.join(root, 'large'))));
  } finally {
    process.env.XDG_CACHE_HOME = home;
  }
});

test('it says how far it is, and can be stopped', async () => {
  const folder = path.join(root, 'many');
  fs.mkdirSync(folder);
  const names = ['a', 'b', 'c'];
  for (const name of names) fs.writeFileSync(path.join(folder, name), randomBytes(large));
  const told: number[] = [];
  await hashFolder(folder, names, { onProgress: (done, total) => told.push(done / total) });
  assert.equal(told.at(-1), 1);
  assert.ok(told.every((part, i) => i === 0 || part >= told[i - 1]!));
  const stop = new AbortController();
  const stopped = hashFolder(folder, names, { signal: stop.signal });
  stop.abort();
  await assert.rejects(stopped, (error) => error instanceof UserError && error.kind === 'cancelled');
});

test('what is no file is refused by name instead of waited for', async (context) => {
  await assert.rejects(hashFile(root), /is not a file/);
  await assert.rejects(hashFile(path.join(root, 'nothing')), /nothing/);
  if (process.platform === 'win32') return context.skip('Windows has no FIFOs in folders');
  const pipe = path.join(root, 'pipe.png');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(hashFolder(root, ['pipe.png']), /pipe\.png is not a file/);
});
