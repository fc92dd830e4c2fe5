// Installs the editors that test/e2e drives: code-server, which carries VS Code's own workbench, extension host and
// webviews, from npm. Nothing but npm is downloaded.
//
// Each version gets a folder of its own in a cache: node_modules/.cache/editors, or DMD_EDITOR_CACHE.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { say, seconds } from './console.mjs';
import { npmIn } from './install.mjs';
import { installOnce } from './install-once.mjs';
import { root } from './process.mjs';

/** The oldest VS Code that package.json claims to support, and the newest that code-server carries. */
export const editors = [
  { vscode: '1.100.3', codeServer: '4.100.3', node: '20.20.2' },
  { vscode: '1.139.1', codeServer: '4.139.1', node: '24.21.0' },
];

const ripgrep = '@vscode/ripgrep-universal@1.18.0';

/** An editor's folder in the cache, and how it is started: `command` with `args` before code-server's own. */
export function editorPaths(editor) {
  const folder = join(cacheFolder(), editor.codeServer);
  const server = join(folder, 'node_modules', 'code-server');
  return { folder, command: join(folder, 'node'), args: [join(server, 'out', 'node', 'entry.js')] };
}

export function editorInstalled(editor) {
  return existsSync(editorPaths(editor).folder);
}

/** The browser that drives the editors: DMD_TEST_CHROMIUM, or the first on the PATH. */
export function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.DMD_TEST_CHROMIUM, ...found].find((path) => path && existsSync(path));
}

/** Installs an editor unless it is there. Throws a Failure that says what is missing. */
export async function ensureEditor(editor) {
  const start = performance.now();
  const { folder } = editorPaths(editor);
  const built = await installOnce(folder, (building) => {
    say(`Installing VS Code ${editor.vscode} (code-server ${editor.codeServer}) for the editor tests ...`);
    return steps(editor, building);
  });
  if (built) say(`Installed VS Code ${editor.vscode} in ${seconds(start)}.`);
}

function cacheFolder() {
  return resolve(process.env.DMD_EDITOR_CACHE || join(root, 'node_modules', '.cache', 'editors'));
}

/** What installing takes: code-server's own script refuses root and other Nodes than its own, and downloads more. */
function steps(editor, building) {
  const server = join(building, 'node_modules', 'code-server');
  const vscode = join(server, 'lib', 'vscode');
  const extensions = join(vscode, 'extensions');
  const node = `node-${process.platform}-${process.arch}`; // npm's copy of the Node that this code-server asks for
  const install = (cwd, ...args) => npmIn(cwd, ['install', '--ignore-scripts', '--omit=dev', ...args]);
  return [
    ['package.json', () => writeFile(join(building, 'package.json'), '{ "private": true }\n')],
    ['code-server', () => install(building, `code-server@${editor.codeServer}`, `${node}@${editor.node}`)],
    ['node', () => symlink(join('node_modules', node, 'bin', 'node'), join(building, 'node'))],
    ['argon2', () => npmIn(building, ['rebuild', 'argon2'])],
    ['workbench', () => install(vscode)],
    ['workbench extensions', () => install(extensions)],
    ['native modules', () => npmIn(vscode, ['rebuild', ...nativeModules(vscode)])],
    ['links', () => linkScripts(vscode)],
    ['ripgrep', () => placeRipgrep(building, vscode)],
  ];
}

function nativeModules(vscode) {
  const wanted = ['@vscode/spdlog', 'node-pty', 'native-watchdog', '@vscode/native-watchdog'];
  return wanted.filter((name) => existsSync(join(vscode, 'node_modules', name)));
}

/** The links that code-server's own installation makes. */
async function linkScripts(vscode) {
  const links = [
    ['node_modules', 'node_modules.asar'],
    ['code-linux.sh', join('bin', 'remote-cli', 'code-server')],
    ['browser-linux.sh', join('bin', 'helpers', 'browser.sh')],
  ];
  for (const [target, name] of links) {
    const path = join(vscode, name);
    await rm(path, { force: true });
    await symlink(target, path);
  }
}

/** Older versions' @vscode/ripgrep would download its program: it gets the one of npm's package with all of them. */
async function placeRipgrep(building, vscode) {
  const target = join(vscode, 'node_modules', '@vscode', 'ripgrep');
  if (!existsSync(target)) return;
  await npmIn(building, ['install', '--ignore-scripts', '--omit=dev', ripgrep]);
  const program = join('bin', `${process.platform}-${process.arch}`, 'rg');
  await mkdir(join(target, 'bin'), { recursive: true });
  await copyFile(join(building, 'node_modules', '@vscode', 'ripgrep-universal', program), join(target, 'bin', 'rg'));
}
