/** The parts of config editing that need no editor: names of files, places of names, and which mistakes are shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigProblem } from '../../backend/protocol/rpc/index.ts';
import { isConfig, nameFromFile } from '../../extension/config/config-files.ts';
import { freeName } from '../../extension/config/free-name.ts';
import { fits, nameAt } from '../../extension/config/name-at.ts';
import { shownProblems } from '../../extension/config/shown-problems.ts';

/** What is at the bar in a text. */
function at(textWithBar: string) {
  const offset = textWithBar.indexOf('|');
  const text = textWithBar.replace('|', '');
  const found = nameAt(text, offset);
  return found && { ...found, replaced: text.slice(found.offset, found.offset + found.length) };
}

test('run configs are files on disk and new ones, by their name', () => {
  assert.ok(isConfig({ scheme: 'file', path: '/a/my.dmd.json' }));
  assert.ok(isConfig({ scheme: 'untitled', path: 'my.dmd.json' }));
  for (const path of ['/a/my.json', '/a/dmd.json', '/my.dmd.json/x.txt', '/my.dmd.jsonc']) {
    assert.ok(!isConfig({ scheme: 'file', path }), path);
  }
  assert.ok(!isConfig({ scheme: 'git', path: '/a/my.dmd.json' }), 'an old version in a diff');
});

test('a run without a name is called as its file', () => {
  assert.equal(nameFromFile('/a.b/my.run.dmd.json'), 'my.run');
  assert.equal(nameFromFile('C:\\configs\\my.json'), 'my');
});

test('a new file takes a name that is free, in any case', () => {
  assert.equal(freeName('scenes', []), 'scenes.dmd.json');
  assert.equal(freeName('scenes', ['Scenes.DMD.json', 'scenes-2.dmd.json', 'scenes-4.dmd.json']), 'scenes-3.dmd.json');
});

test('names of models, files and folders are completed, in and without quotes', () => {
  assert.deepEqual(at('{"kind": "distill", "teacher": "built|in:x"}'), {
    kind: 'teacher',
    typed: 'built',
    offset: 31,
    length: 11,
    replaced: '"builtin:x"',
  });
  const empty = at('{"teacher": |}');
  assert.deepEqual([empty?.kind, empty?.typed, empty?.replaced], ['teacher', '', '']);
  assert.equal(at('{"regression": {"pairs": {"path": "../p|"}}}')?.typed, '../p');
  assert.equal(at('{"regression": {"pairs": {"path": "../p|"}}}')?.kind, 'folder');
  assert.equal(at('{"data": {"source": "a/|"}}')?.kind, 'images');
  assert.equal(at('{"regression": {"vggWeights": "|"}}')?.kind, 'weights');
});

test('nothing is completed in keys, other values, and keys of the same name elsewhere', () => {
  for (const text of [
    '{"teach|er": "x"}',
    '{"name": "|"}',
    '{"fake": {"teacher": "|"}}',
    '{"constructor": "|"}',
    '|',
  ]) {
    assert.equal(at(text), undefined, text);
  }
});

test('folders lead to files, and files are offered where they fit', () => {
  assert.ok(fits('teacher', 'net.PKL', false) && fits('images', 'set.zip', false));
  assert.ok(fits('weights', 'more', true) && fits('folder', 'pairs', true));
  assert.ok(!fits('teacher', 'notes.txt', false) && !fits('folder', 'a.zip', false) && !fits('folder', '.git', true));
});

test("what the editor's own JSON support marks is not marked twice", () => {
  const problem = (code: ConfigProblem['code']): ConfigProblem => ({
    code,
    offset: 0,
    length: 1,
    message: code,
    severity: 'error',
    replacement: null,
  });
  const all = (['syntax', 'repeated-key', 'unknown-key', 'value', 'combination', 'environment'] as const).map(problem);
  assert.deepEqual(
    shownProblems(all, true).map(({ code }) => code),
    ['unknown-key', 'value', 'combination', 'environment'],
  );
  assert.deepEqual(shownProblems(all, false), all);
});
