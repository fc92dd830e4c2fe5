// Packs `npm run gpu` with all it needs into one archive for a machine without network: this Node, ONNX Runtime, koffi, the Vulkan
// loader, the programs, reference cases and weights. It holds what this machine's platform runs; unpacked, `./run` starts it.
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { bundleProgram } from './bundle.mjs';
import { Failure, lastLine, say, seconds } from './console.mjs';
import { writeNotices } from './notices.mjs';
import { copyCaller, copyRuntime, hostTarget, writeManifest } from './package.mjs';
import { capture, root } from './process.mjs';

const megabyte = 1e6;
const limit = 40 * megabyte;
const name = 'dmd-gpu';

/** Where distributions have the Vulkan loader. */
const loaders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
const loader = 'libvulkan.so.1';

/** Weights do not get smaller: a case of each kind of network and what draws with no other one, and not what the host computes. */
const cases = [
  ...['dmd-trajectory', 'edm-eps-adm', 'edm-eps-songunet', 'precond-vp'],
  ...['fid-inception', 'lpips-vgg', 'sd-guidance'],
];

/** How an archive is compressed, by the end of its name. */
const compressors = {
  // Code is filtered first: a twentieth less.
  '.tar.xz': process.arch === 'x64' ? 'xz --x86 --lzma2=preset=9e' : 'xz -9e',
  '.tar.gz': 'gzip -9',
};

/** Throws a Failure for another ending, a system that it does not know, and what tar or the compressor says. */
export async function packGpuBundle(file) {
  const start = performance.now();
  const compressor = Object.entries(compressors).find(([end]) => file.endsWith(end))?.[1];
  if (!compressor) throw new Failure(`${file} ends in neither ${Object.keys(compressors).join(' nor ')}.`);
  if (process.platform !== 'linux') throw new Failure('Bundles are made on Linux, for Linux.', 'Use a checkout there.');
  const work = await mkdtemp(join(tmpdir(), 'dmd-gpu-bundle-'));
  const stage = join(work, name);
  try {
    await mkdir(join(stage, 'dist'), { recursive: true });
    await writeManifest(stage);
    await copyNode(stage);
    await copyRuntime(stage, hostTarget);
    await stripped(join(stage, 'dist/node_modules/onnxruntime-node/bin/napi-v6', ...hostTarget.split('-')));
    const callers = await copyCaller(stage, hostTarget);
    await copyLoader(stage);
    const { packages } = await copyPrograms(stage);
    await writeNotices(stage, [...packages, 'onnxruntime-node', 'onnxruntime-common', ...callers]);
    await copyCases(stage);
    await writeStart(stage);
    const packing = await capture('tar', ['-C', work, '-I', compressor, '-cf', resolve(file), name]);
    if (packing.code !== 0) throw new Failure(`tar could not pack it: ${lastLine(packing.output)}`);
    await report(file, stage, start);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function copyNode(stage) {
  if (process.config.variables.node_shared)
    throw new Failure('This Node is made of shared libraries.', 'Run the command with a Node from nodejs.org.');
  await copyFile(process.execPath, join(stage, 'node'));
  await stripped(join(stage, 'node'));
}

/** Without the names that only a debugger reads; as it is where there is no strip. @param path a file or a folder of them */
async function stripped(path) {
  const folder = (await stat(path)).isDirectory();
  const files = folder ? (await readdir(path)).map((file) => join(path, file)) : [path];
  for (const file of files) await capture('strip', ['--strip-unneeded', file]);
}

async function copyLoader(stage) {
  const found = loaders.map((folder) => join(folder, loader)).find(existsSync);
  if (!found) return say(`Left out: ${loader}, which is not here; the other machine needs one of its own.`);
  await mkdir(join(stage, 'lib'));
  await copyFile(await realpath(found), join(stage, 'lib', loader));
}

async function copyPrograms(stage) {
  const dist = join(stage, 'dist');
  const programs = await Promise.all(['test/gpu', 'backend/engine'].map(workersIn));
  const entryPoints = { gpu: 'test/gpu/run.ts', ...Object.fromEntries(programs.flat()) };
  const made = await bundleProgram({ folder: dist, entryPoints });
  await copyFile(join(root, 'test/gpu/contract-reporter.mjs'), join(dist, 'contract-reporter.mjs'));
  // PyTorch's side, should the other machine have it.
  for (const folder of ['test/bench', 'test/bench/table']) {
    const scripts = (await readdir(join(root, folder))).filter((file) => file.endsWith('.py'));
    for (const file of scripts) await copyFile(join(root, folder, file), join(dist, file));
  }
  return made;
}

/** [name in dist/, source] of what is started as a process or a thread of its own. */
async function workersIn(folder) {
  const files = await readdir(join(root, folder), { recursive: true });
  const workers = files.filter((file) => file.endsWith('.worker.ts'));
  return workers.map((file) => [basename(file, '.ts'), join(folder, file)]);
}

async function copyCases(stage) {
  for (const one of cases) {
    const path = join('test/golden/cases', one);
    await cp(join(root, path), join(stage, path), { recursive: true });
  }
  await mkdir(join(stage, 'media/scenes'), { recursive: true });
  await copyFile(join(root, 'media/scenes/generator.safetensors'), join(stage, 'media/scenes/generator.safetensors'));
  await copyFile(join(root, 'LICENSE'), join(stage, 'LICENSE'));
}

/** The other machine's own Vulkan loader goes first: it knows where its drivers are. */
async function writeStart(stage) {
  const { code, output } = await capture('git', ['log', '-1', '--format=%h of %as']);
  const commit = code === 0 ? output.trim() : '';
  const script = `#!/bin/sh
# Everything that npm run gpu does, without a network; the report goes to gpu-report in the folder you are in.
case $0 in */*) here=\${0%/*} ;; *) here=. ;; esac
own=
for folder in ${loaders.join(' ')}; do [ -e "$folder/${loader}" ] && own=$folder; done
[ -z "$own" ] && export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export DMD_COMMIT='${commit}'
exec "$here/node" "$here/dist/gpu.js" "$@"
`;
  await writeFile(join(stage, 'run'), script);
  for (const program of ['run', 'node']) await chmod(join(stage, program), 0o755);
}

/** How large it is; where it is too large, what takes the room. */
async function report(file, stage, start) {
  const { size } = await stat(file);
  say(`Packed ${file}: ${(size / megabyte).toFixed(1)} MB in ${seconds(start)}. There: tar xf ${file} && ${name}/run`);
  if (size <= limit) return;
  const largest = [];
  for (const path of await readdir(stage, { recursive: true })) {
    const about = await stat(join(stage, path));
    if (about.isFile()) largest.push([about.size, path]);
  }
  const named = largest.sort(([a], [b]) => b - a).slice(0, 4);
  const parts = named.map(([bytes, path]) => `${path} ${(bytes / megabyte).toFixed(0)} MB`);
  say(
    `That is ${((size - limit) / megabyte).toFixed(1)} MB more than wanted. Unpacked, the largest are ${parts.join(', ')}.`,
  );
}
