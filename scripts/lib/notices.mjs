// THIRD-PARTY-NOTICES.txt of the package: whose code it contains, and the terms that go with every copy.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './process.mjs';

/** Writes the notices of npm packages (names, in any order, repeated or not) into `folder`. */
export async function writeNotices(folder, packages) {
  const names = [...new Set(packages)].sort();
  const notices = await Promise.all(names.map(notice));
  const head = 'DMD Workbench contains these packages, each under its own licence.';
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), `${[head, ...notices].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}

async function notice(name) {
  const folder = join(root, 'node_modules', name);
  const { version, license, homepage, repository } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const home = homepage ?? repository?.url ?? repository;
  return [`${name} ${version}, ${license}${home ? `, ${home}` : ''}`, ...texts.map((text) => text.trim())].join('\n\n');
}
