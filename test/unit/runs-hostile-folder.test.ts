/** Run folders that somebody else made: what lies in them is no file, or a link to what is the user's. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { readManifest } from '../../backend/data/pair-manifest.ts';
import { readPromptFile } from '../../backend/data/prompts/prompt-file.ts';
import { temporaryPath } from '../../backend/files/atomic.ts';
import { EmbeddingStore } from '../../backend/methods/common/embedding-store.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { parseJson } from '../../backend/protocol/json.ts';
import { printable } from '../../backend/protocol/printable.ts';
import { loadLatest, pruneCheckpoints } from '../../backend/runs/checkpoints/checkpoints.ts';
import { readConfigFile } from '../../backend/runs/config-file.ts';
import { listFields, readFields } from '../../backend/runs/fields/fields.ts';
import { readAnnotations } from '../../backend/runs/folder/annotations.ts';
import { acquireLock } from '../../backend/runs/folder/lock.ts';
import { createRun, listRuns, readConfig, readRun, resumeRun } from '../../backend/runs/folder/run-folder.ts';
import { noteInLog, openStartLog } from '../../backend/runs/live/run-log.ts';
import { RunHistory } from '../../backend/server/runs/history.ts';
import { LiveLinks } from '../../backend/server/runs/live-links.ts';
import { RunList } from '../../backend/server/runs/run-list.ts';
import { writeComponent, writeTokenizer } from '../../backend/weights/diffusers/write.ts';

const setup = { version: '1.2.3', device: 'cpu', threads: 2 };
const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-hostile-')));
after(() => fs.rmSync(root, { recursive: true, force: true }));
const unix = {
  skip: process.platform === 'win32' && 'Windows has no named pipes in folders, and links need a privilege',
};
const secretText = 'hunter2 is the password';
const secret = path.join(root, 'secret.txt');
fs.writeFileSync(secret, secretText);

let made = 0;
/** A run in a folder of its own, which nobody works on. */
function newRun() {
  const config = parseConfig(JSON.stringify({ kind: 'distill', name: 'run' }), 'test');
  const run = createRun(path.join(root, `runs-${++made}`), config, setup);
  run.close();
  return { ...run.paths, root: path.dirname(run.paths.folder) };
}

/** What may stand in place of a file, and nobody can read. */
const strange: Readonly<Record<string, (file: string) => void>> = {
  'a pipe': (file) => execFileSync('mkfifo', [file]),
  'a link to a device': (file) => fs.symlinkSync('/dev/zero', file),
  'a sparse file of 64 GB': (file) => {
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 2 ** 36);
  },
  'a folder': (file) => fs.mkdirSync(file),
  'a link to a secret': (file) => fs.symlinkSync(secret, file),
};

const texts = ({ problem, hint }: { problem: string; hint: string }) => `${problem} ${hint}`;

for (const [what, put] of Object.entries(strange)) {
  test(`${what} in place of what a run writes neither hides other runs nor is waited for`, unix, async () => {
    for (const name of ['run.json', 'run.lock', 'about.json', 'config.dmd.json']) {
      const bad = newRun();
      const good = createRun(bad.root, parseConfig('{"kind": "distill", "name": "good"}', 'test'), setup);
      good.close();
      fs.rmSync(path.join(bad.folder, name), { force: true });
      put(path.join(bad.folder, name));

      const found = listRuns(bad.root);
      assert.deepEqual(found.map(({ paths }) => paths.folder).sort(), [bad.folder, good.paths.folder].sort());
      const summary = readRun(bad.folder);
      const broken = name.startsWith('run.');
      assert.equal(summary.state, broken ? 'damaged' : 'interrupted', name);
      if (broken) assert.match(summary.problem, new RegExp(`${name}\\b`));
      const about = readAnnotations(bad.folder);
      assert.equal(about.warning !== '', name === 'about.json');
      assert.ok(!`${texts(summary)} ${about.warning}`.includes('hunter2'), name);
      if (name === 'config.dmd.json') assert.throws(() => readConfig(bad), UserError);
      if (name !== 'about.json') assert.throws(() => resumeRun(bad.folder, setup), UserError, name);
      assert.equal(fs.readFileSync(secret, 'utf8'), secretText);

      const links = new LiveLinks();
      const warnings: string[] = [];
      const list = new RunList(links, { onChanged() {}, onRemoved() {}, onWarning: (text) => warnings.push(text) });
      const shown = (await list.setRoots([bad.root])).map(({ folder }) => folder);
      list.dispose();
      links.close();
      assert.ok(shown.includes(good.paths.folder), name);
      assert.ok(!JSON.stringify(warnings).includes('hunter2'));
    }
  });

  test(`${what} among checkpoints, fields and event files is passed over`, unix, async () => {
    const { checkpoints, fields, events, folder } = newRun();
    for (const part of ['checkpoints/step-00000007', 'fields/probe']) fs.mkdirSync(path.join(folder, part));
    put(path.join(checkpoints, 'step-00000007', 'manifest.json'));
    const { checkpoint, warnings } = await loadLatest(checkpoints);
    assert.equal(checkpoint, undefined);
    assert.match(warnings.join(), /step-00000007 is damaged/);
    assert.ok(!warnings.join().includes('hunter2'));
    assert.deepEqual(pruneCheckpoints(checkpoints, { keep: 2, keepEvery: 0 }), []);
    put(path.join(fields, 'probe', 'step-00000007.safetensors'));
    assert.ok(listFields(fields, 'probe').length <= 1);
    assert.throws(() => readFields(fields, 'probe', 7), UserError);
    if (what === 'a sparse file of 64 GB') return; // of any size is an event file
    put(path.join(events, 'events.out.tfevents.0000000007.host.1'));
    const history = new RunHistory(folder);
    await history.advance();
    assert.deepEqual(history.tags(), []);
    assert.match(history.warnings().join(), /tfevents/);
  });
}

const victimsOf = (folder: string) => fs.readdirSync(folder).sort();

test('a part of a run that leads out of it is not gone on with, and nothing there is changed', unix, () => {
  for (const part of [
    'samples',
    'fields',
    'fields/probe',
    'checkpoints',
    'pairs',
    'embeddings',
    'generator',
    'generator/unet',
  ]) {
    const { folder } = newRun();
    const outside = path.join(root, `outside-${part.replace('/', '-')}`);
    fs.mkdirSync(path.join(outside, 'step-00000003'), { recursive: true });
    const names = [
      'step-00000003.png',
      'step-00000003.safetensors',
      path.basename(temporaryPath(path.join(outside, 'x'))),
    ];
    for (const name of names) fs.writeFileSync(path.join(outside, name), 'mine');
    const before = victimsOf(outside);
    fs.rmSync(path.join(folder, part), { recursive: true, force: true });
    fs.mkdirSync(path.dirname(path.join(folder, part)), { recursive: true });
    fs.symlinkSync(outside, path.join(folder, part));
    assert.throws(
      () => resumeRun(folder, setup),
      (error) =>
        error instanceof UserError &&
        error.kind === 'io' &&
        error.message.includes(`${path.join(folder, part)} leads out of`),
      part,
    );
    assert.deepEqual(victimsOf(outside), before, part);
    assert.ok(!fs.existsSync(path.join(folder, 'run.lock')));
  }
});

test('links within the folder, and a link to the run itself, are followed', unix, () => {
  const { folder } = newRun();
  fs.renameSync(path.join(folder, 'samples'), path.join(folder, 'pictures'));
  fs.symlinkSync('pictures', path.join(folder, 'samples'));
  const link = path.join(root, 'link-to-run');
  fs.symlinkSync(folder, link);
  resumeRun(link, setup).close();
});

test('events/ may lie on another disk: it is gone on with, and what others write there stays', unix, () => {
  const { folder, events } = newRun();
  const disk = path.join(root, 'disk');
  fs.renameSync(events, disk);
  fs.symlinkSync(disk, events);
  const others = temporaryPath(path.join(disk, 'x'));
  fs.writeFileSync(others, 'half of something');
  resumeRun(folder, setup).close();
  assert.ok(fs.existsSync(others));
});

test('a lock from the future of another host does not hold for a year', () => {
  const { folder } = newRun();
  const lock = path.join(folder, 'run.lock');
  const owner = { host: 'elsewhere', pid: 1, birth: 'x', since: '2031-01-01T00:00:00.000Z', contact: '' };
  const put = (seconds: number) => {
    fs.writeFileSync(lock, JSON.stringify(owner));
    fs.utimesSync(lock, Date.now() / 1000 + seconds, Date.now() / 1000 + seconds);
  };
  for (const seconds of [30, -30]) {
    put(seconds);
    assert.throws(
      () => acquireLock(folder),
      (error) =>
        error instanceof UserError &&
        error.kind === 'locked' &&
        Number(/again in (\d+) s/.exec(error.hint)?.[1]) <= 120,
    );
  }
  for (const seconds of [31_536_000, 3600, -3600]) {
    put(seconds);
    assert.equal(readRun(folder).owner, undefined);
    acquireLock(folder).release();
  }
});

test('what Finder leaves in fields/ does not keep a run from going on', () => {
  const { folder, fields } = newRun();
  fs.writeFileSync(path.join(fields, '.DS_Store'), '');
  resumeRun(folder, setup).close();
});

test('run.log and what a run keeps of its prompts are not written through links or into pipes', unix, () => {
  for (const put of [strange['a link to a secret']!, strange['a pipe']!]) {
    const { folder } = newRun();
    put(path.join(folder, 'run.log'));
    assert.throws(() => openStartLog({ folder }), UserError);
    noteInLog(folder, 'a line');
    for (const name of ['numbers', 'index']) {
      const store = path.join(folder, `embeddings-${name}`);
      fs.mkdirSync(store);
      put(path.join(store, name));
      assert.throws(() => new EmbeddingStore({ folder: store, identity: 'x', length: 3 }), UserError, name);
    }
    assert.equal(fs.readFileSync(secret, 'utf8'), secretText);
  }
});

test('a component is not written where a link leads out of the model folder', unix, async () => {
  const model = path.join(root, 'model');
  const outside = path.join(root, 'another-model');
  for (const made of [model, outside]) fs.mkdirSync(made);
  fs.symlinkSync(outside, path.join(model, 'vae'));
  fs.symlinkSync(outside, path.join(model, 'tokenizer'));
  await assert.rejects(
    writeComponent(model, 'vae', { className: 'AutoencoderKL', config: {}, tensors: new Map() }),
    UserError,
  );
  assert.throws(() => writeTokenizer(model, { 'vocab.json': '{}' }), UserError);
  assert.deepEqual(fs.readdirSync(outside), []);
});

test('a terminal is shown what a folder says, and obeys none of it', () => {
  const shown = printable('\u001b]0;x\u0007 \u009b2J a\rb\tc\nd é😀 \u202e');
  // As in messages of errors, which come that way already and stay as they are.
  assert.equal(new UserError('io', 'a\u001bb').message, printable('a\u001bb'));
  assert.equal(printable(shown), shown);
  assert.equal(shown, '\\u001b]0;x\\u0007 \\u009b2J a\\u000db\tc\nd é😀 \\u202e');
});

test('what is wrong with JSON is said without a word of it', () => {
  for (const text of ['hunter2:x:0', '{"a": hunter2}', '{"hunter2": ', '["hunter2" "b"]', '{"a": "hunter2\n"}', ' ']) {
    assert.throws(
      () => parseJson(text),
      (error) => error instanceof Error && error.message !== '' && !error.message.includes('hunter'),
      text,
    );
  }
});

test('a pipe in place of a data set, its labels, its pairs or prompts is refused, not waited for', unix, async () => {
  const pipe = path.join(root, 'pipe.zip');
  execFileSync('mkfifo', [pipe]);
  const folder = path.join(root, 'data');
  fs.mkdirSync(folder);
  for (const name of ['dataset.json', 'pairs.json']) execFileSync('mkfifo', [path.join(folder, name)]);
  const refused = (error: unknown) => error instanceof UserError && error.kind === 'data';
  await assert.rejects(openImageDataset(pipe), refused);
  await assert.rejects(openImageDataset(folder), refused);
  await assert.rejects(readManifest(folder), refused);
  assert.throws(() => readPromptFile(pipe), refused);
  assert.throws(() => readConfigFile(pipe), refused);
});
