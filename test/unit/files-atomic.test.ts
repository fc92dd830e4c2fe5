import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryPath, writeFileAtomic, writePiecesAtomic } from '../../backend/files/atomic.ts';
import { type Disk, realDisk } from '../../backend/files/disk.ts';
import { listFolder, removeLeftovers } from '../../backend/files/folders.ts';
import { UserError } from '../../backend/protocol/errors.ts';

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-files-'));
}

/** A disk that takes `room` more bytes, three at a time, and then is full. */
function smallDisk(room: number): Disk {
  return {
    ...realDisk,
    write(file, bytes, position) {
      const part = bytes.subarray(0, Math.min(3, room));
      if (part.length === 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
      room -= part.length;
      return realDisk.write(file, part, position);
    },
  };
}

function isIoErrorAbout(file: string, words: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'io');
    assert.ok(error.message.includes(`${file}:`), `"${error.message}" does not name ${file}`);
    assert.doesNotMatch(error.message, /\.tmp/);
    assert.match(error.message, words);
    assert.notEqual(error.hint, '');
    return true;
  };
}

test('a file is replaced whole, whatever the disk takes at a time', () => {
  const file = path.join(scratch(), 'a.json');
  fs.writeFileSync(file, 'the old content, longer than the new one');
  writeFileAtomic(file, 'das neue: größer', smallDisk(100));
  assert.equal(fs.readFileSync(file, 'utf8'), 'das neue: größer');
  assert.deepEqual(listFolder(path.dirname(file)), ['a.json']);
});

test('a full disk leaves the old file and no debris, and is named', () => {
  const file = path.join(scratch(), 'a.json');
  fs.writeFileSync(file, 'old');
  for (const room of [0, 1, 7]) {
    const full = isIoErrorAbout(file, /disk is full/);
    assert.throws(() => writeFileAtomic(file, 'new content', smallDisk(room)), full);
    assert.equal(fs.readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(listFolder(path.dirname(file)), ['a.json']);
  }
});

test('a failing sync or rename is an error too, not a silent loss', () => {
  const file = path.join(scratch(), 'a.bin');
  const refuse = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  const broken = { ...realDisk, sync: refuse('EIO') };
  assert.throws(() => writeFileAtomic(file, 'x', broken), isIoErrorAbout(file, /input\/output/));
  const readOnly = { ...realDisk, rename: refuse('EROFS') };
  assert.throws(() => writeFileAtomic(file, 'x', readOnly), isIoErrorAbout(file, /read-only/));
  assert.deepEqual(listFolder(path.dirname(file)), []);
});

test('permission denied and a missing folder name the path', () => {
  const folder = scratch();
  const missing = path.join(folder, 'no', 'a.json');
  assert.throws(() => writeFileAtomic(missing, 'x'), isIoErrorAbout(missing, /no such file/));
  const denied = {
    ...realDisk,
    open() {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    },
  };
  const file = path.join(folder, 'a.json');
  assert.throws(() => writeFileAtomic(file, 'x', denied), isIoErrorAbout(file, /permission denied/));
});

test('what is no refusal of the disk stays what it is', () => {
  const bug = { ...realDisk, write: () => assert.fail('a bug') };
  assert.throws(() => writeFileAtomic(path.join(scratch(), 'a'), 'x', bug), assert.AssertionError);
});

test('leftovers of a killed writer are removed, other files are not', () => {
  const folder = scratch();
  const leftover = temporaryPath(path.join(folder, 'state.json'));
  fs.writeFileSync(leftover, 'half');
  const leftoverFolder = temporaryPath(path.join(folder, 'step-00000010'));
  fs.mkdirSync(leftoverFolder);
  fs.writeFileSync(path.join(leftoverFolder, 'a'), 'half');
  for (const name of ['a.tmp', '.hidden', 'state.json']) fs.writeFileSync(path.join(folder, name), 'keep');
  assert.equal(removeLeftovers(folder).length, 2);
  assert.deepEqual(listFolder(folder), ['.hidden', 'a.tmp', 'state.json']);
  assert.deepEqual(removeLeftovers(path.join(folder, 'nowhere')), []);
});

test('a disk that really is full (a tiny tmpfs)', (t) => {
  const mountPoint = scratch();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mountPoint], { stdio: 'pipe' });
  } catch {
    return t.skip('mounting a tmpfs needs root on Linux');
  }
  try {
    const file = path.join(mountPoint, 'a.bin');
    writeFileAtomic(file, new Uint8Array(20_000).fill(7));
    assert.throws(() => writeFileAtomic(file, new Uint8Array(50_000)), isIoErrorAbout(file, /disk is full/));
    assert.deepEqual(new Set(fs.readFileSync(file)), new Set([7]));
    assert.deepEqual(listFolder(mountPoint), ['a.bin']);
  } finally {
    execFileSync('umount', [mountPoint]);
  }
});

test('a large file is replaced whole, piece by piece; on an error the old one stays and no debris', async () => {
  const file = path.join(scratch(), 'a.bin');
  fs.writeFileSync(file, 'old');
  const broken = function* () {
    yield Buffer.from('new');
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  };
  await assert.rejects(writePiecesAtomic(file, broken()), isIoErrorAbout(file, /input\/output/));
  assert.equal(fs.readFileSync(file, 'utf8'), 'old');
  await writePiecesAtomic(file, [Buffer.from('new '), Buffer.alloc(0), Buffer.from('content')]);
  assert.equal(fs.readFileSync(file, 'utf8'), 'new content');
  assert.deepEqual(listFolder(path.dirname(file)), ['a.bin']);
  const missing = path.join(path.dirname(file), 'no', 'a.bin');
  await assert.rejects(writePiecesAtomic(missing, [Buffer.from('x')]), isIoErrorAbout(missing, /no such file/));
});
