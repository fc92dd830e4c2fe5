/** Whatever an operating system refuses is told as such, with its path, and never as a bug of this program. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { getSystemErrorMap } from 'node:util';
import { reportError } from '../../backend/cli/errors.ts';
import { describeError, errorFrom } from '../../backend/files/describe-error.ts';
import { asUserError, errorCode } from '../../backend/files/disk.ts';
import { leadsNowhere, makeFolder } from '../../backend/files/folders.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { sourceLoader } from '../loader.ts';

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-errors-'));
}

/** As libuv makes them: what it has no name for, it gives by number. */
function systemError(code: string, fields: object = {}): Error {
  const number = os.constants.errno[code as keyof typeof os.constants.errno];
  const known = [...getSystemErrorMap().values()].some(([name]) => name === code);
  const given = known ? code : `Unknown system error -${number}`;
  return Object.assign(new Error(`${given}: words of the system, write`), { code: given, syscall: 'write', ...fields });
}

function isIo(error: unknown, ...words: readonly (string | RegExp)[]): true {
  assert.ok(error instanceof UserError, String(error));
  assert.equal(error.kind, 'io');
  assert.notEqual(error.hint, '');
  for (const word of words) {
    assert.ok(typeof word === 'string' ? error.message.includes(word) : word.test(error.message), error.message);
  }
  return true;
}

test('every code this system has is an io error with path, name and a hint', () => {
  const codes = Object.keys(os.constants.errno);
  assert.ok(codes.length > 50);
  for (const code of codes) {
    const number = os.constants.errno[code as keyof typeof os.constants.errno];
    const names = codes.filter((name) => os.constants.errno[name as keyof typeof os.constants.errno] === number);
    const worded = asUserError(systemError(code), 'write', '/disk/a');
    isIo(worded, 'cannot write /disk/a: ', new RegExp(`\\((${names.join('|')})\\)$`));
  }
  isIo(asUserError(systemError('EDQUOT'), 'write', '/disk/a'), /quota/);
  isIo(asUserError(systemError('ESTALE'), 'read', '/disk/a'), /no longer on its network disk/);
  const unnamed = Object.assign(new Error('x'), { code: 'Unknown system error -4095' });
  isIo(asUserError(unnamed, 'read', '/disk/a'), 'system error 4095');
});

test('what is no error of the system stays what it is', () => {
  for (const error of [new TypeError('a bug'), Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }), 7]) {
    assert.equal(errorCode(error), '');
    assert.equal(asUserError(error, 'write', '/disk/a'), error);
    assert.equal(describeError(error).kind, 'bug');
  }
});

test('an error that came without a stack has its words for a log', () => {
  const { stack } = errorFrom({ kind: 'bug', message: 'it ended without a word', hint: '', stack: '' });
  assert.equal(stack, 'Error: it ended without a word');
  assert.equal(errorFrom({ kind: 'bug', message: 'x', hint: '', stack: 'there' }).stack, 'there');
});

test('an error that nobody worded is io in both funnels, with the path it carries', (t) => {
  for (const code of ['EFBIG', 'ELOOP', 'EBUSY', 'ENFILE', 'ENOTCONN', 'ETIMEDOUT', 'EDQUOT', 'ESTALE', 'EXDEV']) {
    const error = systemError(code, { path: '/disk/b', dest: '/disk/c', syscall: 'rename' });
    const { kind, message } = describeError(error);
    assert.deepEqual([kind, message.includes('cannot rename /disk/b -> /disk/c: ')], ['io', true], message);
    const written: string[] = [];
    const { mock } = t.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0);
    const status = reportError(error, { json: false, verbose: false });
    mock.restore();
    assert.equal(status, 7, code);
    assert.match(written.join(''), /cannot rename \/disk\/b/);
    assert.doesNotMatch(written.join(''), /bug/);
  }
});

test('a folder is made with its parents; one that is there, also by a link, is enough', () => {
  const root = scratch();
  makeFolder(path.join(root, 'a', 'b', 'c'));
  makeFolder(path.join(root, 'a', 'b', 'c'));
  fs.symlinkSync(path.join(root, 'a'), path.join(root, 'link'));
  makeFolder(path.join(root, 'link', 'b', 'd'));
  makeFolder(path.parse(root).root);
  assert.deepEqual(fs.readdirSync(path.join(root, 'a', 'b')), ['c', 'd']);
});

test('what is in the way of a folder is said: a file, or a link to a disk that is not connected', () => {
  const root = scratch();
  fs.writeFileSync(path.join(root, 'file'), '');
  fs.symlinkSync(path.join(root, 'nowhere'), path.join(root, 'link'));
  const words = { file: /something else of that name is there/, link: /a link of that name leads nowhere/ };
  for (const [name, what] of Object.entries(words)) {
    assert.throws(() => makeFolder(path.join(root, name)), { kind: 'io', message: what });
  }
  assert.throws(() => makeFolder(path.join(root, 'link', 'inside')), { kind: 'io', message: words.link });
  assert.deepEqual([leadsNowhere(path.join(root, 'link')), leadsNowhere(path.join(root, 'none'))], [true, false]);
});

test('a folder that cannot be made ends with an io error that names it', () => {
  const root = scratch();
  const refused = (folder: string, ...words: RegExp[]) =>
    assert.throws(
      () => makeFolder(folder),
      (error) => isIo(error, folder, ...words),
    );
  fs.writeFileSync(path.join(root, 'file'), '');
  refused(path.join(root, 'file'));
  refused(path.join(root, 'file', 'x', 'y'));
  fs.symlinkSync(path.join(root, 'two'), path.join(root, 'one'));
  fs.symlinkSync(path.join(root, 'one'), path.join(root, 'two'));
  refused(path.join(root, 'one', 'x'), /circle.*ELOOP/);
  fs.symlinkSync(path.join(root, 'nowhere'), path.join(root, 'dangling'));
  refused(path.join(root, 'dangling'));
  refused(path.join(root, 'x'.repeat(300)), /too long/);
});

test('a system of files that takes no folders (/proc)', (t) => {
  if (process.platform !== 'linux') return t.skip('there is no /proc');
  // In a process of its own: what never ends cannot be waited for.
  const module = JSON.stringify(new URL('../../backend/files/folders.ts', import.meta.url).href);
  const script = `const { makeFolder } = await import(${module});
    for (const folder of ['/proc/x', '/proc/x/y/z']) try { makeFolder(folder) } catch (e) { console.log(e.kind, e.message) }`;
  const args = ['--import', sourceLoader, '--input-type=module', '--eval', script];
  const said = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  assert.match(said, /^io cannot create \/proc\/x.*\nio cannot create \/proc\/x.*\n$/);
});

test('a read-only disk says so', (t) => {
  const mountPoint = scratch();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', mountPoint], { stdio: 'pipe' });
  } catch {
    return t.skip('mounting a tmpfs needs root on Linux');
  }
  try {
    assert.throws(
      () => makeFolder(path.join(mountPoint, 'a', 'b')),
      (error) => isIo(error, mountPoint, /read-only/),
    );
  } finally {
    execFileSync('umount', [mountPoint]);
  }
});
