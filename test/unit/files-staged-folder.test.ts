/** Folders that are there whole or not at all. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isTemporary } from '../../backend/files/atomic.ts';
import { stageFolder } from '../../backend/files/staged-folder.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const scratch = () => fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-staged-'));

test('a folder appears when it is placed, with what was written into it', () => {
  const root = scratch();
  const target = path.join(root, 'made');
  const staged = stageFolder(target);
  fs.writeFileSync(path.join(staged.path, 'a'), '1');
  assert.deepEqual(fs.readdirSync(root).filter(isTemporary), [path.basename(staged.path)]);
  assert.equal(fs.existsSync(target), false);
  staged.place();
  staged.discard();
  assert.deepEqual(fs.readdirSync(root), ['made']);
  assert.equal(fs.readFileSync(path.join(target, 'a'), 'utf8'), '1');
});

test('it takes the place of an earlier one, also behind a link; one that is discarded leaves it', () => {
  const root = scratch();
  const [target, link] = [path.join(root, 'made'), path.join(root, 'link')];
  fs.mkdirSync(target);
  fs.writeFileSync(path.join(target, 'old'), '1');
  fs.symlinkSync(target, link, 'junction');
  stageFolder(link).discard();
  assert.deepEqual(fs.readdirSync(target), ['old']);
  const staged = stageFolder(link);
  fs.writeFileSync(path.join(staged.path, 'new'), '2');
  staged.place();
  assert.deepEqual(fs.readdirSync(root).sort(), ['link', 'made']);
  assert.deepEqual(fs.readdirSync(target), ['new']);
  assert.ok(fs.lstatSync(link).isSymbolicLink());
});

test('when it cannot be put there, the earlier one comes back', () => {
  const root = scratch();
  const target = path.join(root, 'made');
  fs.mkdirSync(target);
  fs.writeFileSync(path.join(target, 'old'), '1');
  const staged = stageFolder(target);
  fs.rmdirSync(staged.path);
  assert.throws(
    () => staged.place(),
    (error) => error instanceof UserError && error.kind === 'io' && error.message.includes(target),
  );
  staged.discard();
  assert.deepEqual(fs.readdirSync(root), ['made']);
  assert.deepEqual(fs.readdirSync(target), ['old']);
});
