/** Files that are none: pipes, sockets, devices, sparse gigabytes; and that all of the sources read by the one reader. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openRegular, openRegularSync, readBytes, readBytesAside, readText } from '../../backend/files/regular.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-regular-'));
after(() => fs.rmSync(folder, { recursive: true }));
const unix = { skip: process.platform === 'win32' ? 'Windows has no named pipes in folders' : false };

/** Every way in which a file can be read. */
const readers: readonly [name: string, read: (file: string) => unknown][] = [
  ['readBytes', (file) => readBytes(file, 'record')],
  ['readText', (file) => readText(file, 'record')],
  ['openRegularSync', (file) => fs.closeSync(openRegularSync(file))],
  ['readBytesAside', (file) => readBytesAside(file, 'record')],
  ['openRegular', async (file) => (await openRegular(file)).close()],
];

async function refusedByAll(file: string, message: RegExp, some = readers): Promise<void> {
  for (const [name, read] of some) {
    await assert.rejects(
      async () => read(file),
      (error) => error instanceof UserError && error.kind === 'data' && message.test(error.message),
      name,
    );
  }
}

test('a pipe is refused without waiting for a writer, also through a link', unix, async () => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  fs.symlinkSync(pipe, path.join(folder, 'link-to-pipe'));
  await refusedByAll(pipe, /pipe is not a regular file but a pipe/);
  await refusedByAll(path.join(folder, 'link-to-pipe'), /a pipe/);
});

test('a socket and a device are refused', unix, async () => {
  const socket = path.join(folder, 'socket');
  const server = net.createServer().listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  await refusedByAll(socket, /but a socket/);
  await new Promise((resolve) => server.close(resolve));
  await refusedByAll('/dev/zero', /but a device/);
});

test('a file larger than its kind is refused before any of it is read', async () => {
  const file = path.join(folder, 'sparse');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, 2 ** 37);
  const before = process.memoryUsage().rss;
  await refusedByAll(
    file,
    /has 137438953472 bytes, and at most \d+ are read/,
    readers.filter(([name]) => name.startsWith('read')),
  );
  assert.ok(process.memoryUsage().rss - before < 2 ** 26);
});

test('what has no size is read to its end, and no further than its kind allows', {
  skip: process.platform !== 'linux',
}, async () => {
  assert.match(readText('/proc/self/status', 'note'), /^Name:/);
  assert.match((await readBytesAside('/proc/self/status', 'note')).toString(), /^Name:/);
});

test('bytes come whole, at any length around the size of the buffer', async () => {
  for (const length of [0, 1, 4095, 4096, 4097, 100_003]) {
    const file = path.join(folder, `of-${length}`);
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 31 + length) % 251));
    fs.writeFileSync(file, bytes);
    assert.deepEqual(readBytes(file, 'record'), bytes);
    assert.deepEqual(await readBytesAside(file, 'record'), bytes);
  }
});

test('what is missing, and a folder, are refused in the words of the system', async () => {
  assert.throws(() => readText(path.join(folder, 'none'), 'note'), { code: 'ENOENT' });
  assert.throws(() => readText(folder, 'note'), { code: 'EISDIR' });
  await assert.rejects(readBytesAside(folder, 'note'), { code: 'EISDIR' });
});

/** Who may open files otherwise, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'backend/files/regular.ts': 'the reader itself',
  'backend/files/disk.ts': 'what writing needs',
  'backend/runs/folder/lock.ts': 'creates the lock, and touches the one that it holds',
  'backend/runs/live/run-log.ts': 'appends to run.log',
  'backend/models/hub/download-blob.ts': 'appends to what it downloads into the cache',
  'extension/generate/history.ts': 'creates pictures',
};

const opening = 'open|openSync|openAsBlob|readFile|readFileSync|createReadStream';
const called = new RegExp(`\\bfs\\.(promises\\.)?(${opening})\\b`);
const imported = new RegExp(`import \\{[^}]*\\b(${opening})\\b[^}]*\\} from 'node:fs(/promises)?'`);
const renamed = /^import (?!fs from|type |\{)[^;]*from 'node:fs(\/promises)?'|\b(require|import)\(['"](node:)?fs/m;
/** How a source opens files by itself; '' for the others. `vscode.workspace.fs` is the editor's. */
const opens = (source: string) =>
  [called, imported, renamed].map((pattern) => pattern.exec(source.replaceAll('workspace.fs', ''))?.[0] ?? '').join('');

test('no source opens files but by the one reader', () => {
  const sources = ['backend', 'extension'].flatMap((room) =>
    fs.readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => path.posix.join(room, name)),
  );
  const found = sources.filter((name) => name.endsWith('.ts') && opens(fs.readFileSync(name, 'utf8')) !== '');
  assert.deepEqual(found.sort(), Object.keys(exceptions).sort());
});

test('the search finds every way of opening a file', () => {
  for (const source of [
    "fs.readFileSync('x')",
    "fs.promises.open('x')",
    "import { readFile, stat } from 'node:fs/promises';",
    "import {\n  type FileHandle,\n  open,\n} from 'node:fs/promises';",
    "import * as files from 'node:fs';",
    "await import('node:fs')",
  ]) {
    assert.notEqual(opens(source), '', source);
  }
  assert.equal(opens("import { stat } from 'node:fs/promises'; fs.statSync('x'); vscode.workspace.fs.readFile(x)"), '');
});
