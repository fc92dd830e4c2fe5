/** The history of generated pictures: files that survive crashes, damage, other windows and second thoughts. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Side } from '../../backend/protocol/panels/generate.ts';
import { History } from '../../extension/generate/history.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-history-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const fresh = () => join(root, `${folders++}`, 'images');
const plenty = () => ({ entries: 100, bytes: 1e9 });

const side = (seeds: number[]): Side => ({
  settings: { model: 'builtin:scenes', seeds, classes: null, prompt: null, steps: 1, device: 'cpu' },
  ...{ title: 'G', role: 'generator', device: 'cpu', why: '', width: 8, height: 8 },
  ...{ millisecondsPerImage: 1, startupMilliseconds: 0, modelSha256: 'ab', notes: [] },
  images: seeds.map((seed) => ({ seed, class: null, className: '' })),
});
const pngs = (seeds: number[]) => seeds.map((seed) => Uint8Array.of(0x89, seed));
const add = (history: History, seeds: number[], minute = 0) =>
  history.add({ sides: [side(seeds)], pictures: [pngs(seeds)] }, new Date(Date.UTC(2026, 0, 1, 0, minute)));

test('what one window added another finds, the newest first, pictures and all', async () => {
  const folder = fresh();
  const history = new History(folder, plenty);
  assert.deepEqual(await history.list(), []);
  const first = await add(history, [1, 2], 1);
  const second = await history.add(
    { sides: [side([3]), side([3])], pictures: [pngs([3]), pngs([4])] },
    new Date(Date.UTC(2026, 0, 2)),
  );
  const other = new History(folder, plenty);
  assert.deepEqual(await other.list(), [second, first]);
  assert.deepEqual(await other.images(first.id), [pngs([1, 2])]);
  assert.deepEqual(await other.images(second.id), [pngs([3]), pngs([4])]);
});

test('a deleted entry is gone, and comes back', async () => {
  const folder = fresh();
  const history = new History(folder, plenty);
  const first = await add(history, [1], 1);
  const second = await add(history, [2], 2);
  await history.delete(first.id);
  assert.deepEqual(await history.list(), [second]);
  assert.deepEqual(await new History(folder, plenty).list(), [second]);
  await assert.rejects(history.images(first.id), UserError);
  assert.deepEqual(await history.undoDelete(), first);
  assert.deepEqual(await history.list(), [second, first]);
  assert.deepEqual(await history.images(first.id), [pngs([1])]);
  assert.equal(await history.undoDelete(), null);
});

test('what is deleted while another is written leaves the other alone', async () => {
  const folder = fresh();
  const history = new History(folder, plenty);
  const old = await add(history, [1], 1);
  const added = add(history, [2, 3, 4], 2);
  const deleted = history.delete(old.id);
  const [entry] = await Promise.all([added, deleted]);
  assert.deepEqual(await history.list(), [entry]);
  assert.deepEqual(await history.images(entry.id), [pngs([2, 3, 4])]);
  const later = add(history, [5], 3);
  await Promise.all([later, history.undoDelete()]);
  assert.deepEqual(await history.list(), [await later, entry, old]);
  await assert.rejects(history.delete('gone'), UserError);
  await history.delete(old.id);
  assert.deepEqual(await new History(folder, plenty).list(), [await later, entry], 'a failure ends only its own');
});

test('a favourite stays one in other windows, and makes no room for others', async () => {
  const folder = fresh();
  const history = new History(folder, () => ({ entries: 2, bytes: 1e9 }));
  const first = await add(history, [1], 1);
  await history.setFavourite(first.id, true);
  for (const n of [2, 3, 4]) await add(history, [n], n);
  const seeds = async (of: History) => (await of.list()).map(({ sides }) => sides[0]!.settings.seeds[0]);
  assert.deepEqual(await seeds(history), [4, 1]);
  const other = new History(folder, plenty);
  assert.deepEqual(await other.list(), await history.list());
  assert.deepEqual((await other.list())[1], { ...first, favourite: true });
  await other.setFavourite(first.id, false);
  assert.deepEqual(await other.images(first.id), [pngs([1])]);
  await assert.rejects(history.setFavourite('../x', true), UserError);
  await add(new History(folder, () => ({ entries: 2, bytes: 1e9 })), [5], 5);
  assert.deepEqual(await seeds(new History(folder, plenty)), [5, 4]);
});

test('the oldest make room, by number and by size; the newest stays whatever its size', async () => {
  const folder = fresh();
  let limits = { entries: 2, bytes: 1e9 };
  const history = new History(folder, () => limits);
  for (const n of [1, 2, 3]) await add(history, [n], n);
  assert.deepEqual(
    (await history.list()).map(({ sides }) => sides[0]!.settings.seeds[0]),
    [3, 2],
  );
  assert.equal(readdirSync(folder).length, 2);
  limits = { entries: 9, bytes: 1 };
  const last = await add(history, [4], 4);
  assert.deepEqual(await history.list(), [last]);
  assert.deepEqual(readdirSync(folder), [last.id]);
});

test('damaged, foreign and half-written folders are left out; old leftovers are swept', async () => {
  const folder = fresh();
  const good = await add(new History(folder, plenty), [1]);
  const plant = (name: string, text: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'entry.json'), text);
  };
  plant('cut', '{"id": "cu');
  plant('other-name', JSON.stringify(good));
  plant('strange', JSON.stringify({ ...good, id: '../../etc' }));
  plant('.new-recent', '{}');
  plant('.new-old', '{}');
  writeFileSync(join(folder, 'note.txt'), 'hello');
  const past = Date.now() + 2 * 24 * 3600_000;
  const now = Date.now;
  Date.now = () => past;
  try {
    assert.deepEqual(await new History(folder, plenty).list(), [good]);
  } finally {
    Date.now = now;
  }
  assert.ok(!readdirSync(folder).includes('.new-old'));
  assert.ok(readdirSync(folder).includes('note.txt'), 'what is not ours stays');
  utimesSync(join(folder, 'note.txt'), 0, 0);
});

test('no id from outside becomes a path', async () => {
  const folder = fresh();
  const history = new History(folder, plenty);
  await add(history, [1]);
  for (const id of ['..', '../x', '/etc', '', '.new-x', 'a/b']) {
    await assert.rejects(history.images(id), UserError);
    await assert.rejects(history.delete(id), UserError);
  }
  const [entry] = await history.list();
  await assert.rejects(history.image(entry!.id, 7, 0), UserError);
});

test('where nothing can be written, the error names the folder and nothing half stays', async () => {
  const folder = fresh();
  mkdirSync(join(folder, '..'), { recursive: true });
  writeFileSync(folder, 'a file where the folder should be');
  const history = new History(folder, plenty);
  await assert.rejects(add(history, [1]), (error) => error instanceof UserError && error.message.includes(folder));
});
