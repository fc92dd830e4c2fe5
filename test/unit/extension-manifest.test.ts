/** What package.json contributes is what the extension registers, and every file it names is there. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { decode } from 'fast-png';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const texts: Record<string, string> = JSON.parse(await readFile(join(root, 'package.nls.json'), 'utf8'));

/** Bundles the extension as for the editor, activates it beside a `vscode` that only notes what is registered. */
async function registeredCommands(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-extension-'));
  try {
    const outfile = join(folder, 'extension.cjs');
    const entryPoints = [join(root, 'extension', 'extension.ts')];
    await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', external: ['vscode'] });
    await mkdir(join(folder, 'node_modules', 'vscode'), { recursive: true });
    await writeFile(
      join(folder, 'node_modules', 'vscode', 'index.js'),
      'exports.registered = [];\nexports.commands = { registerCommand(id) { exports.registered.push(id); return { dispose() {} }; } };',
    );
    const require = createRequire(outfile);
    const subscriptions: unknown[] = [];
    require(outfile).activate({ subscriptions });
    const { registered } = require('vscode') as { registered: string[] };
    assert.ok(subscriptions.length >= registered.length, 'every registration is disposed of with the extension');
    return registered;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('the extension registers exactly the commands it contributes', async () => {
  const contributed = manifest.contributes.commands.map((entry: { command: string }) => entry.command);
  assert.ok(contributed.length > 0);
  assert.deepEqual((await registeredCommands()).sort(), contributed.sort());
});

test('every command has the category DMD and a title in title case', () => {
  for (const { command, category, title } of manifest.contributes.commands) {
    assert.match(command, /^dmd\.[a-z][A-Za-z]+$/);
    assert.equal(category, 'DMD', command);
    assert.equal(title, `%${command}.title%`);
    for (const word of texts[`${command}.title`]!.split(' '))
      assert.match(word, /^([A-Z]|and$|of$|to$|in$|the$|a$|from$|with$)/, `${command}: ${word}`);
  }
});

test('every text of the manifest is in package.nls.json, and every text there is used', async () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key!);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(texts).sort());
  const read = new Set(['title', 'description', 'markdownDescription', 'label', 'altText', 'contents', 'shortTitle']);
  JSON.stringify(manifest.contributes, (key, value) => {
    if (read.has(key) && typeof value === 'string') assert.match(value, /^%.+%$/, 'a text that cannot be translated');
    return value;
  });
});

test('settings that name a program are not taken from an untrusted folder', () => {
  const settings = Object.keys(manifest.contributes.configuration.properties);
  const programs = settings.filter((name) => /path$/i.test(name));
  assert.ok(programs.length > 0);
  assert.deepEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, programs);
});

test('the manifest names the bundles that the build writes, and an icon of 128 pixels', async () => {
  assert.equal(manifest.main, './dist/extension.cjs');
  assert.equal(manifest.bin.dmd, 'dist/dmd.js');
  const icon = decode(await readFile(join(root, manifest.icon)));
  assert.deepEqual([icon.width, icon.height], [128, 128]);
});

test('every version is pinned, so that the same checkout is the same program', () => {
  const versions = { ...manifest.dependencies, ...manifest.devDependencies };
  for (const [name, version] of Object.entries(versions)) assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
});

test('the lock file pins the packages of every platform, not only of the one it was made on', async () => {
  type Entry = { version?: string; integrity?: string; optionalDependencies?: Record<string, string> };
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const entries = Object.entries<Entry>(lock.packages).filter(([path]) => path !== '');
  for (const [path, { version, integrity, optionalDependencies }] of entries) {
    assert.ok(version && integrity, `${path} has no version or hash: npm ci would refuse the lock file`);
    for (const name of Object.keys(optionalDependencies ?? {})) {
      const found = entries.some(([other]) => other.endsWith(`node_modules/${name}`));
      assert.ok(found, `${path} needs ${name}, which is not locked: npm ci would refuse the lock file`);
    }
  }
});
