/** What package.json contributes is what the extension registers, and every file it names is there. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { extensionContext, load } from './extension/load.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const texts: Record<string, string> = JSON.parse(await readFile(join(root, 'package.nls.json'), 'utf8'));

const { commands, menus, views, viewsWelcome } = manifest.contributes;
const contributed: string[] = commands.map(({ command }: { command: string }) => command);
type MenuItem = { command?: string; submenu?: string; when?: string };
const menuItems: [menu: string, item: MenuItem][] = Object.entries<MenuItem[]>(menus).flatMap(([menu, items]) =>
  items.map((item): [string, MenuItem] => [menu, item]),
);

const { exports, vscode } = await load<{ activate(context: unknown): void; deactivate(): Promise<void> }>(
  "export * from './extension/extension.ts';",
);
exports.activate(extensionContext(vscode));
after(() => exports.deactivate());

test('the extension registers exactly the commands and views it contributes', () => {
  assert.deepEqual([...vscode.registered.keys()].sort(), [...contributed].sort());
  const made = vscode.calls.filter(([name]) => name === 'createTreeView').map(([, id]) => id);
  assert.deepEqual(made.sort(), views.dmd.map(({ id }: { id: string }) => id).sort());
});

test('menus, walkthrough and welcome texts name commands that are there', () => {
  for (const [menu, { command }] of menuItems)
    assert.ok(command && contributed.includes(command), `${menu}: ${command}`);
  const linked = [...JSON.stringify(texts).matchAll(/\(command:([\w.]+)/g)].map(([, command]) => command!);
  assert.ok(linked.length > 0);
  for (const command of linked) {
    assert.ok(contributed.includes(command) || /^workbench\./.test(command), command);
  }
});

test('what only makes sense for a line of a view is hidden in the palette', () => {
  const hidden = menuItems.filter(([menu, { when }]) => menu === 'commandPalette' && when === 'false');
  const item = (command: string) =>
    menuItems.some(([menu, { command: other }]) => menu === 'view/item/context' && other === command);
  const named = new Set(hidden.map(([, { command }]) => command!));
  assert.ok(named.size > 0);
  for (const command of named)
    assert.ok(item(command) || command.startsWith('dmd.refresh'), `nobody can call ${command}`);
  for (const { command, title } of commands) {
    if (/\bThis\b/.test(texts[title.slice(1, -1)]!) && command !== 'dmd.distillTeacher')
      assert.ok(named.has(command), command);
  }
});

test('keys press commands that are there, only where they mean something, and a run is started as a program is', () => {
  const { keybindings } = manifest.contributes;
  for (const { command, when } of keybindings) {
    assert.ok(contributed.includes(command), command);
    assert.match(when, /resourceFilename|focusedView|activeWebviewPanelId/, command);
  }
  const key = (command: string) => keybindings.find((one: MenuItem) => one.command === command)?.key;
  assert.deepEqual([key('dmd.startRunFromFile'), key('dmd.debugRunFromFile')], ['ctrl+f5', 'f5']);
});

test('a panel in front has its actions in the title bar', () => {
  const inTitle = menuItems.filter(([menu]) => menu === 'editor/title').map(([, { when }]) => when ?? '');
  for (const panel of ['dmd.monitor', 'dmd.generate', 'dmd.playground']) {
    assert.ok(
      inTitle.some((when) => when === `activeWebviewPanelId == ${panel}`),
      panel,
    );
  }
});

test('safetensors files open in the viewer', () => {
  const [{ viewType, selector }] = manifest.contributes.customEditors;
  assert.deepEqual([viewType, selector], ['dmd.safetensors', [{ filenamePattern: '*.safetensors' }]]);
});

test('every view says what to do when it is empty, untrusted or could not be filled', () => {
  for (const { id } of views.dmd) {
    const conditions = viewsWelcome
      .filter(({ view }: { view: string }) => view === id)
      .map(({ when }: { when: string }) => when);
    assert.deepEqual(conditions, [
      '!isWorkspaceTrusted',
      `isWorkspaceTrusted && ${id} == loaded`,
      `isWorkspaceTrusted && ${id} == failed`,
    ]);
  }
  assert.match(
    texts['welcome.runs.empty']!,
    /^\[Generate Image from Prompt\]\(command:dmd.generateFromPrompt\)/,
    'first',
  );
});

test('every command that does more than show wants a trusted workspace', () => {
  const free = ['dmd.showLog', 'dmd.showDevices', 'dmd.checkConfig', 'dmd.openGeneratePanel', 'dmd.openMonitor'].concat(
    ...['dmd.refreshRuns', 'dmd.compareRuns', 'dmd.openRunFolder', 'dmd.openRunConfig'],
    ...['dmd.previewRun', 'dmd.keepMonitor'],
  );
  for (const { command, enablement } of commands) {
    if (!free.includes(command)) assert.match(enablement ?? '', /isWorkspaceTrusted/, command);
  }
});

test('every command has the category DMD and a title in title case', () => {
  for (const { command, category, title } of manifest.contributes.commands) {
    assert.match(command, /^dmd\.[a-z][A-Za-z]+$/);
    assert.equal(category, 'DMD', command);
    assert.equal(title, `%${command}.title%`);
    for (const word of texts[`${command}.title`]!.split(' '))
      assert.match(word, /^([A-Z]|and$|of$|to$|in$|the$|a$|as$|from$|with$)/, `${command}: ${word}`);
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

test('settings that name a program or a folder are not taken from an untrusted workspace', () => {
  const settings = Object.keys(manifest.contributes.configuration.properties);
  const places = settings.filter((name) => /(path|folders?)$/i.test(name));
  assert.ok(places.length > 0);
  assert.deepEqual([...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort(), places.sort());
});

test('icons are there, and the one of the activity bar has one colour', async () => {
  for (const { icon } of [...manifest.contributes.viewsContainers.activitybar, ...views.dmd]) {
    const svg = await readFile(join(root, icon), 'utf8');
    assert.deepEqual([...new Set([...svg.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map(([, color]) => color))], ['#fff']);
  }
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
