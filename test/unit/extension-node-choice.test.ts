/** Which Node runs the backend, among programs that say what they like. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { chooseNode } from '../../extension/backend/node-choice.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-node-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const skip = process.platform === 'win32' && 'programs are shell scripts here';

/** A folder with a program called node that prints this. */
function program(name: string, prints: string): string {
  mkdirSync(join(folder, name));
  const path = join(folder, name, 'node');
  writeFileSync(path, `#!/bin/sh\n${prints}\n`, { mode: 0o755 });
  return path;
}

const old = program('old', 'echo v20.11.1');
const older = program('older', 'echo v9.99.0');
const right = program('right', 'echo v20.12.0');
const newer = program('newer', 'echo v26.0.0');
const other = program('other', 'echo bun 1.0');
const broken = program('broken', 'exit 1');
const own = { path: '/editor/code', version: '22.15.0' };
const searchPath = (...paths: string[]) => paths.map((path) => join(path, '..')).join(delimiter);

test('the first on the PATH that is new enough', { skip }, async () => {
  const path = ['relative/bin', join(folder, 'missing'), searchPath(old, older, other, broken, right, newer)];
  const choice = await chooseNode({ setting: ' ', searchPath: path.join(delimiter), own });
  assert.deepEqual([choice.path, choice.version, choice.environment], [right, '20.12.0', {}]);
});

test("the editor's own when the PATH has none, saying what was refused", { skip }, async () => {
  const choice = await chooseNode({ setting: '', searchPath: searchPath(old, other), own });
  assert.deepEqual([choice.path, choice.version], [own.path, own.version]);
  assert.deepEqual(choice.environment, { ELECTRON_RUN_AS_NODE: '1' });
  assert.match(choice.why, /the editor's own .*old.node is 20\.11\.1, .*other.node is unusable/);
  assert.match((await chooseNode({ setting: '', searchPath: '', own })).why, /no node on the PATH/);
});

test('no Node at all is an error that says what to do', { skip }, async () => {
  const search = { setting: '', searchPath: searchPath(old), own: { ...own, version: '18.19.0' } };
  await assert.rejects(chooseNode(search), (error: UserError) => {
    assert.match(error.message, /20\.11\.1.*18\.19\.0/);
    assert.match(error.hint, /20\.12 or newer.*dmd\.nodePath/);
    return error instanceof UserError;
  });
});

test('what the setting names is used or refused, never replaced', { skip }, async () => {
  const choice = await chooseNode({ setting: ` ${newer} `, searchPath: searchPath(right), own });
  assert.deepEqual([choice.path, choice.version, choice.why], [newer, '26.0.0', 'the setting dmd.nodePath']);
  const refusals: [setting: string, message: RegExp][] = [
    ['node', /not an absolute path: node/],
    [join(folder, 'missing', 'node'), /not a Node that runs/],
    [other, /not a Node that runs/],
    [broken, /not a Node that runs/],
    [old, /names Node 20\.11\.1, which is too old/],
  ];
  for (const [setting, message] of refusals) {
    await assert.rejects(chooseNode({ setting, searchPath: searchPath(right), own }), (error: UserError) => {
      assert.match(error.message, message);
      assert.match(error.hint, /dmd\.nodePath/);
      return error instanceof UserError;
    });
  }
});
