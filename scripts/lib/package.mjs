// Makes the VSIX of one platform: a folder with exactly what the installed extension needs, packed by vsce.
//
// ONNX Runtime lies in dist/node_modules, where Node looks for what dist/*.js import; vsce leaves a node_modules folder
// at the top out. Of its native libraries only the platform's own go in. So does koffi, through which ONNX Runtime's C API
// and MPI are called, where its native part for the platform is installed.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from './bundle.mjs';
import { Failure, lastLine, say, seconds } from './console.mjs';
import { writeNotices } from './notices.mjs';
import { capture, root } from './process.mjs';

/** The Marketplace refuses nothing below 100 MB, but people on slow lines wait for every one of them. */
const limit = 60 * 2 ** 20;

const natives = join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6');

/** The platform that this machine's editor asks for, in vsce's words. */
export const hostTarget = `${process.platform}-${process.arch}`;

/**
 * Packs the extension for a target such as linux-x64 into a .vsix in `folder`; resolves to its path. Throws a Failure for
 * a target without a native library, what vsce refuses, and a package that is too large.
 */
export async function packageExtension({ target = hostTarget, folder = root } = {}) {
  const start = performance.now();
  await checkTarget(target);
  const stage = await mkdtemp(join(tmpdir(), 'dmd-package-'));
  try {
    const manifest = await writeManifest(stage);
    await copyProject(stage);
    await copyRuntime(stage, target);
    const callers = await copyCaller(stage, target);
    const { packages } = await build({ folder: join(stage, 'dist'), sourcemap: false });
    await writeNotices(stage, [...packages, 'onnxruntime-node', 'onnxruntime-common', ...callers]);
    const vsix = join(folder, `${manifest.name}-${target}-${manifest.version}.vsix`);
    await pack(stage, target, vsix);
    const { size } = await stat(vsix);
    const megabytes = (size / 2 ** 20).toFixed(1);
    if (size > limit) throw new Failure(`${vsix} has ${megabytes} MB, more than ${limit / 2 ** 20}.`);
    say(`Packaged ${vsix}: ${megabytes} MB in ${seconds(start)}.`);
    return vsix;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function checkTarget(target) {
  const platforms = await readdir(natives);
  const lists = platforms.map(async (platform) => {
    return (await readdir(join(natives, platform))).map((arch) => `${platform}-${arch}`);
  });
  const targets = (await Promise.all(lists)).flat().sort();
  if (targets.includes(target)) return;
  throw new Failure(
    `onnxruntime-node has no native library for "${target}".`,
    `npm run package -- --target ${targets.join(' | ')}`,
  );
}

/** package.json as the editor needs it: without what only a checkout uses. Everything imported is bundled. */
export async function writeManifest(stage) {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const checkoutOnly = ['scripts', 'devDependencies', 'dependencies', 'peerDependencies', 'peerDependenciesMeta'];
  for (const key of [...checkoutOnly, 'allowScripts']) delete manifest[key];
  await writeFile(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** What lies in the checkout as it is: texts, media, translations and the pictures that the README shows. */
async function copyProject(stage) {
  const top = await readdir(root);
  const texts = top.filter((name) =>
    /^(README\.md|CHANGELOG\.md|LICENSE|l10n|media|package\.nls(\..+)?\.json)$/.test(name),
  );
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const pictures = [...readme.matchAll(/!\[[^\]]*\]\((?!https?:)([^)\s]+)\)/g)].map(([, path]) => path);
  const there = pictures.filter((path) => existsSync(join(root, path)));
  for (const path of pictures) if (!there.includes(path)) say(`Left out: README.md shows ${path}, which is not there.`);
  const filter = (path) => !/[/\\]l10n[/\\](config|walkthrough)\./.test(path); // what these are for is made already
  for (const path of [...texts, ...there]) await cp(join(root, path), join(stage, path), { recursive: true, filter });
}

export async function copyRuntime(stage, target) {
  const modules = join(stage, 'dist', 'node_modules');
  const library = join('bin', 'napi-v6', ...target.split('-'));
  const copies = [
    ['onnxruntime-common', ['package.json', 'dist/cjs']],
    ['onnxruntime-node', ['package.json', 'dist', library]],
  ];
  for (const [name, parts] of copies) {
    for (const part of parts) {
      await mkdir(dirname(join(modules, name, part)), { recursive: true });
      await cp(join(root, 'node_modules', name, part), join(modules, name, part), { recursive: true, filter: needed });
    }
  }
}

/** Where C functions are called: MPI on Windows is another library, called in another way. */
const callsC = /^(linux|darwin)-(x64|arm64)$/;

/** koffi with its native part, 1.3 MB of its 4. Resolves to the names of what was copied. */
export async function copyCaller(stage, target) {
  const native = `@koromix/koffi-${target}`;
  if (!callsC.test(target)) return [];
  if (!existsSync(join(root, 'node_modules', native))) {
    say(
      `Left out: ${native}, which npm installs on such a machine only; without it the editor starts no ranks, and graphs run through onnxruntime-node.`,
    );
    return [];
  }
  const copies = [
    ['koffi', ['package.json', 'index.js', 'index.cjs', 'src/koffi/index.js', 'src/koffi/index.cjs', 'src/koffi/src']],
    [native, ['package.json', 'index.js', join(target.replace('-', '_'), 'koffi.node')]],
  ];
  const script = (path) => !/\.(cc|hh|h|inc|S|asm|def)$/.test(path);
  for (const [name, parts] of copies) {
    for (const part of parts) {
      const to = join(stage, 'dist', 'node_modules', name, part);
      await mkdir(dirname(to), { recursive: true });
      await cp(join(root, 'node_modules', name, part), to, { recursive: true, filter: script });
    }
  }
  return ['koffi'];
}

/** Not maps and types; and of macOS's library, which npm's package holds twice, only the name that is loaded. */
function needed(path) {
  return !/(\.map|\.d\.ts|libonnxruntime\.\d+\.\d+\.\d+\.dylib)$/.test(basename(path));
}

async function pack(stage, target, vsix) {
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const options = ['--no-dependencies', '--no-rewrite-relative-links', '--target', target, '--out', vsix];
  const { code, output } = await capture(process.execPath, [vsce, 'package', ...options], { cwd: stage });
  if (code !== 0) throw new Failure(`vsce could not pack the extension: ${lastLine(output)}\n${output.trim()}`);
}
