/** The component library has one door: nobody but webview/shared/toolkit.ts says the names of its elements. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const webview = fileURLToPath(new URL('../../webview', import.meta.url));
const door = join('shared', 'toolkit.ts');

/** Names of elements, but neither the editor's variables (--vscode-...) nor the classes it puts on the body. */
const tags = /(?<![-\w.])vscode-(?!dark\b|light\b|high-contrast)[a-z][a-z-]*/g;

test('no file of a page names an element of the toolkit but the one module', async () => {
  const named: string[] = [];
  for (const name of await readdir(webview, { recursive: true })) {
    if (!/[.](ts|css)$/.test(name) || name === door) continue;
    const found = (await readFile(join(webview, name), 'utf8')).match(tags) ?? [];
    named.push(...found.map((tag) => `${name}: ${tag}`));
  }
  assert.deepEqual(named, []);
});

test('what looks for such names sees them in scripts and in styles', () => {
  assert.deepEqual("element('vscode-button') target.matches('a, vscode-text-field')".match(tags), [
    'vscode-button',
    'vscode-text-field',
  ]);
  assert.deepEqual('.row vscode-text-field, vscode-option {}'.match(tags), ['vscode-text-field', 'vscode-option']);
  assert.equal('var(--vscode-button-border) .vscode-high-contrast-light .vscode-dark'.match(tags), null);
});

test('every element that is registered is made by a factory, and no other', async () => {
  const source = await readFile(join(webview, door), 'utf8');
  const registered = [...source.matchAll(/\bvsCode(\w+)\(\)/g)].map(([, name]) =>
    name!.replace(/[A-Z]/g, (letter, at) => `${at === 0 ? '' : '-'}${letter.toLowerCase()}`),
  );
  const made = [...source.matchAll(/element\('vscode-([a-z-]+)'/g)].map(([, name]) => name);
  assert.ok(made.length > 0);
  assert.deepEqual(registered.sort(), made.sort());
});
