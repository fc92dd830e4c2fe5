/** CONTRIBUTING.md says of every package that package.json names why it is here, and of no other. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFile(join(root, file), 'utf8');

const manifest = JSON.parse(await read('package.json'));
const { dependencies, devDependencies, peerDependencies } = manifest;
const wanted = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
const [, table = ''] =
  /## Dependencies\n[\s\S]*?\n\|---\|---\|---\|\n([\s\S]*?)(?:\n\n|$)/.exec(await read('CONTRIBUTING.md')) ?? [];
const rows = table
  .trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()));
const told = rows.flatMap(([, names = '', licence = '', why = '']) =>
  names.split(', ').map((name) => ({ name, licence, why })),
);
const covers = (name: string) => (dependency: string) =>
  name.endsWith('/*') ? dependency.startsWith(name.slice(0, -1)) : dependency === name;

test('the table of dependencies has every package once, and none that is gone', () => {
  for (const dependency of wanted) {
    assert.equal(told.filter(({ name }) => covers(name)(dependency)).length, 1, `${dependency} in CONTRIBUTING.md`);
  }
  for (const { name } of told) assert.ok(wanted.some(covers(name)), `${name} is in no list of package.json`);
});

test('the table says for development what package.json has for it, and the licence that the package says', async () => {
  for (const { name, licence, why } of told) {
    const forDevelopment = Object.keys(devDependencies).some(covers(name));
    assert.equal(why.startsWith('Development: '), forDevelopment, name);
    const file = join('node_modules', name, 'package.json');
    if (name.endsWith('/*') || !existsSync(join(root, file))) continue;
    const { license } = JSON.parse(await read(file));
    assert.equal(licence.replace(' or ', ' OR '), license.replace(/[()]/g, ''), name);
  }
});
