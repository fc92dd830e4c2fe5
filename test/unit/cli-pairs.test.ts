/** `dmd pairs` on a folder that is there: the same work goes on, other work is refused and touches nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch, tinyTeacher } from './training/tiny.ts';

const main = fileURLToPath(new URL('../../backend/cli/main.ts', import.meta.url));
const diffusers = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const root = scratch();

async function pairs(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const child = spawn(process.execPath, [...process.execArgv, main, 'pairs', ...args, '--device', 'cpu'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, error] = ['', ''];
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (error += text));
  const [code] = await once(child, 'close');
  return { code, out, error };
}

/** Every file's bytes and time. */
function contents(folder: string): Record<string, string> {
  const files = fs.readdirSync(folder).map((name) => path.join(folder, name));
  return Object.fromEntries(
    files.map((file) => [file, `${fs.statSync(file).mtimeMs} ${fs.readFileSync(file).toString('base64')}`]),
  );
}

async function refused(folder: string, args: readonly string[], difference: RegExp): Promise<void> {
  const before = contents(folder);
  const { code, error } = await pairs(...args, '--out', folder);
  assert.equal(code, 2, error);
  assert.match(error, difference);
  assert.ok(error.includes(folder), error);
  assert.deepEqual(contents(folder), before);
}

test('pairs of images', async () => {
  const folder = path.join(root, 'images');
  const teacher = await tinyTeacher(root);
  const same = [teacher, '--count', '3', '--steps', '2'];
  const made = await pairs(...same, '--out', folder);
  assert.equal(made.code, 0, made.error);
  assert.equal(made.out.trim(), `3 pairs in ${folder}`);
  const before = contents(folder);
  const again = await pairs(...same, '--out', folder);
  assert.equal(again.code, 0, again.error);
  assert.match(again.out, /is complete: its 3 pairs were there already/);
  assert.deepEqual(contents(folder), before);
  await refused(folder, [...same, '--seed', '1'], /seed is 0 in its manifest, 1 now/);
  await refused(folder, [teacher, '--count', '3', '--steps', '4'], /config\.steps is 2 in its manifest, 4 now/);
  await refused(folder, [teacher, '--count', '2', '--steps', '2'], /count is 3 in its manifest, 2 now/);
  const other = await tinyTeacher(path.join(root, 'images', '..'));
  await refused(folder, [other, '--count', '3', '--steps', '2'], /config\.teacher is /);
});

test('pairs of a text model: prompts of its own, and a folder that has somebody else’s', async () => {
  const folder = path.join(root, 'texts');
  const prompts = path.join(root, 'prompts.txt');
  fs.writeFileSync(prompts, 'a red circle\n');
  const args = [diffusers, '--count', '2', '--steps', '2', '--prompts', prompts];
  const made = await pairs(...args, '--out', folder);
  assert.equal(made.code, 0, made.error);
  fs.writeFileSync(prompts, 'a blue star\n');
  await refused(folder, args, /config\.prompts is /);
  assert.equal(fs.readFileSync(path.join(folder, 'prompts.txt'), 'utf8'), 'a red circle\n');

  const own = path.join(root, 'own');
  fs.mkdirSync(own);
  fs.writeFileSync(path.join(own, 'prompts.txt'), 'what I wrote\n');
  await refused(own, args, /prompts\.txt is there already/);
});
