// Makes node_modules what package-lock.json says, and does nothing when it already is.
//
// The state is read from npm's own record (node_modules/.package-lock.json, written when an installation has ended), so
// that an interrupted installation is noticed and one made by hand is kept.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, lastLine, say, seconds } from './console.mjs';
import { capture, root } from './process.mjs';

const oldestNode = [20, 12];

/** Installs the locked packages when they are missing or outdated. Throws a Failure that says why it could not. */
export async function ensureInstalled() {
  checkNode();
  const wanted = await lockedVersions('package-lock.json');
  if (!wanted) throw new Failure('package-lock.json is missing or damaged.', 'git checkout package-lock.json');
  const present = await lockedVersions(join('node_modules', '.package-lock.json'));
  if (present && matches(wanted, present)) return;

  const start = performance.now();
  say(`${present ? 'Updating' : 'Installing'} ${wanted.size} packages ...`);
  const [command, prefix] = npm();
  // ONNX Runtime's install script would download CUDA libraries; older npm versions run it unless told not to.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const result = await capture(command, [...prefix, 'ci', '--no-audit', '--no-fund'], { env });
  if (result.code !== 0) throw installFailure(result.output);
  say(`Installed in ${seconds(start)}.`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Failure(
    `Node ${process.versions.node} is too old: DMD Workbench needs ${oldestNode.join('.')} or newer.`,
    'Install a current Node from https://nodejs.org, then run the command again.',
  );
}

/** The npm that runs this script, or else the one on the PATH. */
export function npm() {
  const running = process.env.npm_execpath;
  if (running?.endsWith('.js') && running.includes('npm')) return [process.execPath, [running]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
}

/** Runs npm in a folder of its own. Throws a Failure with what npm says. */
export async function npmIn(cwd, args) {
  const [command, prefix] = npm();
  const headers = [dirname(dirname(process.execPath)), '/usr'].find((folder) =>
    existsSync(join(folder, 'include', 'node', 'node.h')),
  );
  // Under `npm run` and `npm exec` the environment describes that command, which another npm would take for its own.
  const foreign = /^npm_(command|config_(call|package|allow_scripts|ignore_scripts|workspaces?)|lifecycle_|package_)/;
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
    npm_config_yes: 'true', // node-pty's script calls npx
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    ...(headers && { npm_config_nodedir: headers }),
  };
  const result = await capture(command, [...prefix, ...args], { cwd, env });
  if (result.code === 0) return;
  const errors = result.output.split('\n').filter((line) => /npm error|error:/i.test(line));
  throw new Failure(`npm ${args.join(' ')} failed: ${errors.slice(0, 5).join('\n') || lastLine(result.output)}`);
}

/** Package path -> version and whether it is optional, or undefined when the lock file cannot be read. */
async function lockedVersions(path) {
  try {
    const { packages } = JSON.parse(await readFile(join(root, path), 'utf8'));
    const entries = Object.entries(packages).filter(([name]) => name !== '');
    return new Map(entries.map(([name, { version, optional }]) => [name, { version, optional }]));
  } catch {
    return undefined;
  }
}

/** Optional packages (binaries of other platforms) may be absent; whatever is there must have the locked version. */
function matches(wanted, present) {
  return [...wanted].every(([name, { version, optional }]) => {
    const found = present.get(name);
    return found ? found.version === version : optional === true;
  });
}

function installFailure(output) {
  const errors = output.split('\n').filter((line) => line.startsWith('npm error'));
  const shown = (errors.length > 0 ? errors : output.trim().split('\n')).slice(0, 15).join('\n');
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/.test(output);
  return offline
    ? new Failure(
        `npm could not reach its registry:\n${shown}`,
        'Connect to the network (or set a proxy with npm config set proxy) and run the command again.',
      )
    : new Failure(`npm ci failed:\n${shown}`, 'Fix what npm names above and run the command again.');
}
