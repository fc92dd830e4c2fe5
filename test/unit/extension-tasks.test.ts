/** The task type and the problem matcher of package.json, against what the command really prints. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { configHead } from '../../extension/tasks/config-head.ts';
import { type DmdTask, readTask, taskArguments } from '../../extension/tasks/task-arguments.ts';

const manifest = JSON.parse(await readFile(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'));
const [matcher] = manifest.contributes.problemMatchers;
const { regexp, ...groups } = matcher.pattern as { regexp: string } & Record<string, number>;

/** The fields that the matcher reads off a line. */
function matched(line: string): Record<string, string> | null {
  const match = new RegExp(regexp).exec(line);
  return match && Object.fromEntries(Object.entries(groups).map(([field, group]) => [field, match[group]!]));
}

/** What `dmd` prints about a config. */
function printed(text: string, file: string): string[] {
  try {
    parseConfig(text, file);
  } catch (error) {
    assert.ok(error instanceof UserError);
    return `dmd: ${error.message}\n     ${error.hint}`.split('\n');
  }
  return assert.fail('no mistake');
}

test('the matcher finds every mistake of a config in what the command prints, and nothing else', () => {
  for (const file of ['/home/me/my runs/a.dmd.json', 'C:\\runs\\a.dmd.json', 'a:1.jsonc', '-x.json']) {
    const lines = printed('{"kind": "distill",\n  "batch": true,\n  "sed": 3: 4}', file);
    assert.deepEqual(lines.map(matched).filter(Boolean).length, 1, 'broken JSON is one mistake');
    const two = printed('{"kind": "distill",\n  "batch": true,\n  "sed": 3}', file);
    assert.deepEqual(two.map(matched).filter(Boolean), [
      { file, line: '2', column: '12', message: 'batch: expected a whole number, got true' },
      { file, line: '3', column: '3', message: 'unknown key "sed"; did you mean "seed"?' },
    ]);
  }
});

test('the matcher takes no progress, note or other error for a mistake', () => {
  for (const line of [
    'distill: 40/300 steps, 1.2 steps/s, 3:40 left',
    'dmd: /w/net.safetensors: the header is cut off',
    'dmd: a.dmd.json: permission denied',
    '    Learning rate after warm-up. x.json:1:2: y',
    '{"event":"error","message":"a.dmd.json:1:2: x"}'.slice(0, 20),
    'run folder runs/2025-01-31-a.json',
  ]) {
    assert.equal(matched(line), null, line);
  }
});

test('mistakes in open files are left to the marks made while typing', () => {
  assert.equal(matcher.name, 'dmd');
  assert.equal(matcher.applyTo, 'closedDocuments');
});

test('the task type has the properties that are read, and no others', () => {
  const [definition] = manifest.contributes.taskDefinitions;
  assert.equal(definition.type, 'dmd');
  assert.deepEqual(Object.keys(definition.properties).sort(), ['config', 'kind', 'preset', 'resume', 'set']);
});

test('a task names exactly one thing to run', () => {
  assert.deepEqual(readTask({ type: 'dmd', config: 'a.dmd.json' }), { config: 'a.dmd.json', set: [] });
  assert.deepEqual(readTask({ preset: 'scenes', kind: 'teach', set: ['seed=1'] }), {
    preset: 'scenes',
    kind: 'teach',
    set: ['seed=1'],
  });
  for (const wrong of [
    {},
    { config: 'a', preset: 'b' },
    { config: '' },
    { resume: 3 },
    { config: 'a', kind: 'both' },
    { config: 'a', set: 'seed=1' },
    { config: 'a', set: ['seed'] },
    { config: 'a', set: ['=1'] },
  ]) {
    assert.equal(typeof readTask(wrong), 'string', JSON.stringify(wrong));
  }
});

test('the command line of a task', () => {
  const line = (task: Omit<DmdTask, 'set'> & { set?: string[] }, out?: string) =>
    taskArguments({ set: [], ...task }, task.kind ?? 'distill', out);
  assert.deepEqual(line({ config: 'a b.dmd.json', set: ['seed=1', 'name=x y'] }, '/w/runs'), [
    ...['distill', 'a b.dmd.json', '--set', 'seed=1', '--set', 'name=x y', '--out', '/w/runs'],
  ]);
  assert.deepEqual(line({ config: 'a.dmd.json' }), ['distill', 'a.dmd.json']);
  assert.deepEqual(line({ config: '--until.dmd.json' }), ['distill', './--until.dmd.json']);
  assert.deepEqual(line({ preset: 'scenes', kind: 'teach' }, '/r'), ['teach', '--preset', 'scenes', '--out', '/r']);
  assert.deepEqual(line({ resume: 'runs/x' }, '/r'), ['distill', '--resume', 'runs/x'], 'a run stays where it is');
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dmd-tasks-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('which command runs a config is read from it, comments or not', async () => {
  const head = async (text: string) => {
    await writeFile(join(folder, 'a.dmd.json'), text);
    return configHead(join(folder, 'a.dmd.json'));
  };
  assert.deepEqual(await head('{ // mine\n "kind": "teach", "out": "elsewhere", }'), { kind: 'teach', hasOut: true });
  const unclear = { kind: 'distill', hasOut: false };
  for (const text of ['', '[]', 'null', '{"kind": 3}', '{"kind": "teach'.slice(0, 9)]) {
    assert.deepEqual(await head(text), unclear, text);
  }
  assert.deepEqual(await configHead(join(folder, 'missing.dmd.json')), unclear);
});
