/** Paths as people write them: `~` and its like are the home folder everywhere, what nobody replaces is refused by name. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pathArgument } from '../../backend/cli/arguments.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { expandPath, pathProblem } from '../../backend/protocol/path-text.ts';
import { configFromText, resolvePaths } from '../../backend/runs/config-file.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { settingPath } from '../../extension/setting-path.ts';
import { sourceLoader } from '../loader.ts';
import { refusal } from './weights/files.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-paths-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));

const home = ['~', '$HOME', '$' + '{HOME}', '$' + '{userHome}', '$' + '{env:HOME}'];
const workspace = '$' + '{workspaceFolder}';

test('the home folder by all its names, and addresses of files', () => {
  for (const name of home) {
    assert.equal(expandPath(name, '/home/$&'), '/home/$&');
    assert.equal(expandPath(`${name}/a b/t.pkl`, '/home/me'), '/home/me/a b/t.pkl');
    assert.equal(pathProblem(`${name}/x`), '');
  }
  assert.equal(expandPath('file:///data/a%20b/%C3%A4.pkl', '/home/me'), '/data/a b/ä.pkl');
  assert.equal(expandPath('file://localhost/data/x', '/home/me'), '/data/x');
  assert.equal(expandPath('file:///C:/data/x', '/home/me'), 'C:/data/x');
  for (const same of [
    'runs',
    './~',
    'a/~/b',
    '/x/~y',
    'builtin:scenes',
    'scenes',
    'org/name',
    'C:\\x',
    'cost$',
    'a$b/c',
    '100%/50%',
    '$1/x',
  ]) {
    assert.equal(pathProblem(same), '', same);
    assert.equal(expandPath(same, '/home/me'), same);
  }
});

test('what nobody replaces is named', () => {
  const problems: [text: string, named: RegExp][] = [
    [`${workspace}/t.pkl`, /\$\{workspaceFolder\}/],
    [`$HOME/${workspace}`, /\$\{workspaceFolder\}/],
    ['$' + '{env:SCRATCH}/x', /\$\{env:SCRATCH\}/],
    ['$' + '{HOME', /\$\{HOME/],
    ['$SCRATCH/runs', /\$SCRATCH/],
    ['/scratch/$USER', /\$USER/],
    ['$HOMES/x', /\$HOMES/],
    ['%TEMP%\\runs', /%TEMP%/],
    ['/data/runs_$USER', /\$USER/],
    ['$HOME-runs/x', /\$HOME/],
    ['C:\\runs-%USERNAME%', /%USERNAME%/],
    ['$(pwd)/runs', /\$\(pwd\)/],
    ['`pwd`/runs', /`pwd`/],
    ['~+/runs', /~\+/],
    ['~root/x', /~root/],
    ['file://server/share/x', /no address of a file here/],
    ['file:///a%2Fb', /no address of a file here/],
    ['file:///a#b', /no address of a file here/],
    ['https://host/t.pkl', /is an address \(https:\/\/\)/],
    ['vscode-remote://ssh/x', /is an address/],
  ];
  for (const [text, named] of problems) assert.match(pathProblem(text), named, text);
});

const text = (changes: object) => JSON.stringify({ kind: 'distill', teacher: 'builtin:scenes', ...changes }, null, 2);

test('every path of a config is expanded, and relative to it otherwise', () => {
  const config = configFromText(
    text({ out: '~/runs', teacher: '$HOME/t.pkl', text: { prompts: 'file:///data/p.txt', decoder: 'taesd' } }),
    path.join(root, 'x.dmd.json'),
  );
  assert.ok(config.kind === 'distill');
  assert.equal(config.out, path.join(os.homedir(), 'runs'));
  assert.equal(config.teacher, path.join(os.homedir(), 't.pkl'));
  assert.equal(config.text.prompts, '/data/p.txt');
  assert.equal(config.text.decoder, path.join(root, 'taesd'));
  for (const named of [`${workspace}/t.pkl`, 'https://host/t.pkl', '~root/t.pkl']) {
    assert.throws(
      () => configFromText(text({ teacher: named }), path.join(root, 'x.dmd.json')),
      refusal(/./, 'config'),
    );
  }
});

test('paths that an earlier version resolved its own way stay when its run goes on', () => {
  const old = parseConfig(text({ out: '/x/$HOME/runs', teacher: `/x/${workspace}/t.pkl` }), 'a run');
  assert.deepEqual(resolvePaths(old, root, old), old);
  assert.throws(() => resolvePaths(old, root), refusal(/\$HOME/, 'config'));
});

test('the editor marks the text itself', async () => {
  const checker = new ConfigChecker(async () => []);
  const content = `\ufeff${text({ out: `${workspace}/runs`, name: `${workspace}/runs` })}`;
  const [problem, ...rest] = await checker.problems(content, path.join(root, 'x.dmd.json'));
  assert.match(problem?.message ?? '', /\$\{workspaceFolder\}/);
  const at = content.slice(problem!.offset, problem!.offset + problem!.length);
  assert.equal(at, JSON.stringify(`${workspace}/runs`));
  assert.ok(content.indexOf(at) <= problem!.offset && rest.length <= 1);
  assert.deepEqual(await checker.problems(text({ out: '~/runs' }), path.join(root, 'x.dmd.json')), []);
});

test('settings know the folder that is open as well', () => {
  assert.equal(settingPath('dmd.runFolders', `${workspace}/runs`, '/w/$HOME'), '/w/$HOME/runs');
  assert.equal(settingPath('dmd.runFolders', '~/runs', '/w'), path.join(os.homedir(), 'runs'));
  assert.throws(
    () => settingPath('dmd.nodePath', `${workspace}/node`, null),
    refusal(/dmd\.nodePath.*workspaceFolder/, 'config'),
  );
  assert.throws(() => settingPath('dmd.runFolders', '$DATA/runs', '/w'), refusal(/dmd\.runFolders.*\$DATA/, 'config'));
});

const main = fileURLToPath(new URL('../../backend/cli/main.ts', import.meta.url));

/** `dmd` in the folder of this test, which is its home. */
function dmd(...args: string[]) {
  const at = fs.mkdtempSync(path.join(root, 'cwd-'));
  const env = { ...process.env, HOME: path.join(root, 'home'), USERPROFILE: path.join(root, 'home') };
  fs.mkdirSync(env.HOME, { recursive: true });
  const done = spawnSync(process.execPath, ['--import', sourceLoader, main, ...args], {
    cwd: at,
    env,
    encoding: 'utf8',
  });
  return { ...done, made: fs.readdirSync(at), home: env.HOME };
}

test('on the command line: arguments, options and --set, and no folder called ~ is ever made', () => {
  assert.equal(pathArgument('~/x'), path.join(os.homedir(), 'x'));
  const picture = dmd('sample', '--seeds=0', '--device=cpu', '--threads=1', '--out=~/pictures');
  assert.equal(picture.status, 0, picture.stderr);
  assert.deepEqual(
    [picture.made, fs.readdirSync(path.join(picture.home, 'pictures'))],
    [[], ['grid.png', 'seed000000.png']],
  );
  const runs = dmd('runs', '~/none');
  assert.match(runs.stdout, new RegExp(`No runs in ${path.join(runs.home, 'none')}`));
  for (const args of [
    ['sample', `--out=${workspace}/x`],
    ['eval', 'builtin:scenes', '~root/model.pkl'],
    ['distill', `${workspace}/x.dmd.json`],
    ['distill', '--set', 'regression.pairs.path=$SCRATCH/pairs', '--iterations=1'],
  ]) {
    const { status, stderr, made } = dmd(...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /workspaceFolder|~root|\$SCRATCH/);
    assert.deepEqual(made, []);
  }
  const odd = path.join(root, '$SCRATCH');
  fs.mkdirSync(odd);
  assert.equal(pathArgument(odd), odd);
  assert.throws(() => pathArgument(path.join(root, '$SCRATCHES')), /nobody replaces \$SCRATCHES/);
  const teacher = dmd('distill', '--set', 'teacher=~/t.safetensors', '--iterations=1');
  assert.ok(teacher.stderr.includes(path.join(teacher.home, 't.safetensors')), teacher.stderr);
});
