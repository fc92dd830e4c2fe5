/** A person's name and tags for a run: kept, changed one by one, and never in the way when damaged. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readAnnotations, writeAnnotations } from '../../backend/runs/folder/annotations.ts';
import { createRun } from '../../backend/runs/folder/run-folder.ts';
import { scratch, teachConfig } from './training/tiny.ts';

function newRun(): string {
  const run = createRun(scratch(), teachConfig(), { version: '0', device: 'cpu', threads: 1 });
  run.close();
  return run.paths.folder;
}

test('name and tags are kept beside the run and change one by one', () => {
  const folder = newRun();
  assert.deepEqual(readAnnotations(folder), { name: '', tags: [], warning: '' });
  writeAnnotations(folder, { name: 'größer λ', tags: ['a', 'b'] });
  writeAnnotations(folder, { tags: ['c'] });
  assert.deepEqual(readAnnotations(folder), { name: 'größer λ', tags: ['c'], warning: '' });
  writeAnnotations(folder, { name: '' });
  assert.deepEqual(readAnnotations(folder), { name: '', tags: ['c'], warning: '' });
});

test('a damaged file counts as none, with a warning that names it, and can be written anew', () => {
  const folder = newRun();
  const file = path.join(folder, 'about.json');
  for (const text of ['', '{', '[]', '{"name": 3, "tags": []}', '{"name": "x", "tags": [""', '{"name": "x"}']) {
    fs.writeFileSync(file, text);
    const { name, tags, warning } = readAnnotations(folder);
    assert.deepEqual([name, tags], ['', []], text);
    assert.ok(warning.includes(file), text);
  }
  writeAnnotations(folder, { name: 'again' });
  assert.equal(readAnnotations(folder).name, 'again');
});

test('what is too long is refused and changes nothing; a folder that is no run is left alone', () => {
  const folder = newRun();
  writeAnnotations(folder, { name: 'short' });
  assert.throws(() => writeAnnotations(folder, { name: 'x'.repeat(201) }), { name: 'UserError', kind: 'usage' });
  assert.equal(readAnnotations(folder).name, 'short');
  const other = scratch();
  assert.throws(() => writeAnnotations(other, { name: 'x' }), { name: 'UserError', kind: 'data' });
  assert.deepEqual(fs.readdirSync(other), []);
});
