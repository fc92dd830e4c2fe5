/** What .npmrc does for everybody who types `npm ci` here: no package's install script runs, and npm knows each of its keys. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const load = (file: string) => import(new URL(`../../scripts/lib/${file}`, import.meta.url).href);
const { npm } = await load('install.mjs');
const { capture } = await load('process.mjs');
const npmrc = fileURLToPath(new URL('../../.npmrc', import.meta.url));

/** A checkout that depends on one package, whose install script leaves a mark; what npm says while it is installed, and then asked. */
async function installed(t: TestContext, withOurs: boolean): Promise<{ marked: boolean; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-npm-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const scripts = { install: "node -e \"require('node:fs').writeFileSync('mark', '')\"" };
  await mkdir(join(folder, 'noisy'));
  await writeFile(join(folder, 'noisy', 'package.json'), JSON.stringify({ name: 'noisy', version: '1.0.0', scripts }));
  const own = { name: 'here', version: '1.0.0', dependencies: { noisy: 'file:noisy' }, scripts: { said: 'node -v' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(own));
  if (withOurs) await copyFile(npmrc, join(folder, '.npmrc'));
  // As from a terminal, not from `npm test`, which hands its own settings down.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const [command, prefix] = npm();
  const options = { cwd: folder, env };
  const made = await capture(command, [...prefix, 'install', '--offline', '--no-audit', '--no-fund'], options);
  assert.equal(made.code, 0, made.output);
  const ran = await capture(command, [...prefix, 'run', 'said'], options);
  assert.ok(ran.output.includes(process.version), ran.output);
  return { marked: existsSync(join(folder, 'noisy', 'mark')), output: made.output + ran.output };
}

test('no install script runs, what is asked for by name does, and npm has no word against our settings', async (t) => {
  assert.equal((await installed(t, false)).marked, true, 'without .npmrc the script runs');
  const { marked, output } = await installed(t, true);
  assert.equal(marked, false);
  assert.doesNotMatch(output, /npm warn/i);
});
