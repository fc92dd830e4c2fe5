/** The packed extension: it holds what it needs and no more, and works where nothing else is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { decodePng } from '../../backend/data/png.ts';
import { exitCodes } from '../../backend/protocol/errors.ts';
import { packedExtension } from '../e2e/driver/installed.ts';
import { noMpi } from './ranks/mpirun.ts';

const target = `${process.platform}-${process.arch}`;
const folder = mkdtempSync(join(tmpdir(), 'dmd-installed-'));
const installed = join(folder, 'extension');
after(() => rmSync(folder, { recursive: true }));

for (const [name, bytes] of Object.entries(unzipSync(readFileSync(await packedExtension())))) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}

/** Paths with `/`, relative to the extension's folder. */
function packed(): string[] {
  const all = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  return all.filter((path) => statSync(join(installed, path)).isFile()).map((path) => path.replaceAll('\\', '/'));
}

test('every packed file is of a kind that the extension needs', () => {
  const kinds = [
    /^package\.json$/,
    /^package\.nls(\.[\w-]+)?\.json$/,
    /^l10n\/[\w.-]+\.json$/,
    /^(readme\.md|changelog\.md|LICENSE\.txt|THIRD-PARTY-NOTICES\.txt)$/,
    /^docs\/pictures\/[\w.-]+\.png$/,
    /^media\/[\w./-]+\.(png|svg|md|json|safetensors)$/,
    /^media\/python\/dmd_record\.py$/,
    /^media\/scenes-text\/teacher\/tokenizer\/(merges|words)\.txt$/,
    /^dist\/[\w.-]+\.(js|cjs)$/,
    /^dist\/webview\/[\w.-]+\.(js|css|ttf)$/,
    /^dist\/node_modules\/onnxruntime-(node|common)\/(package\.json|dist\/[\w./-]+\.(js|json))$/,
    /^dist\/node_modules\/koffi\/(package\.json|index\.c?js|src\/koffi\/[\w./-]+\.c?js)$/,
    new RegExp(`^dist/node_modules/@koromix/koffi-${target}/(package\\.json|index\\.js|[\\w]+/koffi\\.node)$`),
    new RegExp(`^dist/node_modules/onnxruntime-node/bin/napi-v6/${target.replace('-', '/')}/[\\w.]+$`),
  ];
  const others = packed().filter((path) => !kinds.some((kind) => kind.test(path)));
  assert.deepEqual(others, []);
});

test('what the manifest and the sources name is in the package', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const files = new Set(packed());
  const bundles = ['dist/server.js', 'dist/run-process.js', 'dist/trainer.worker.js', 'dist/device-probe.worker.js'];
  for (const path of [manifest.main, manifest.bin.dmd, manifest.icon, ...bundles, 'LICENSE.txt', 'readme.md']) {
    assert.ok(files.has(path.replace('./', '')), path);
  }
  assert.equal(manifest.scripts, undefined, 'no scripts: nothing of the checkout runs at an installation');
  assert.match(readFileSync(join(folder, 'extension.vsixmanifest'), 'utf8'), new RegExp(`TargetPlatform="${target}"`));
});

test('the pictures that the README shows are in the package', () => {
  const readme = readFileSync(join(installed, 'readme.md'), 'utf8');
  const files = packed();
  for (const [, path] of readme.matchAll(/!\[[^\]]*\]\((?!https?:)([^)\s]+)\)/g))
    assert.ok(files.includes(path!), path);
});

test('the notices name every package in the bundles, with its licence', () => {
  const notices = readFileSync(join(installed, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  for (const name of ['onnxruntime-node', 'onnxruntime-common', 'zod', 'commander', 'pbf', 'yauzl']) {
    assert.match(notices, new RegExp(`^${name} ${dependencies[name] ?? ''}[^\\n]*(MIT|BSD|Apache)`, 'm'), name);
  }
  assert.match(notices, /Permission is hereby granted/);
});

/** Where koffi is packed: ONNX Runtime's C API and MPI are called through it. */
const callsC = /^(linux|darwin)-(x64|arm64)$/.test(target);

/** `dmd sample` of the installed package, in a folder without anything else. @param way DMD_ONNX_RUNTIME */
function sample(name: string, way = '') {
  const out = join(folder, name);
  const args = ['sample', 'builtin:scenes', '--seeds', '3', '--device', 'cpu', '--threads', '1', '--out', out];
  const { status, stderr } = spawnSync(process.execPath, [join(installed, 'dist', 'dmd.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: '', DMD_ONNX_RUNTIME: way },
  });
  const picture = () => readFileSync(join(out, readdirSync(out).find((file) => file.endsWith('.png'))!));
  return { status, stderr, picture };
}

test('the packed program makes a picture in a folder without anything else', () => {
  const { status, stderr, picture } = sample('pictures', callsC ? 'c-api' : '');
  assert.equal(status, 0, stderr);
  const { shape, data } = decodePng(picture());
  assert.deepEqual(shape.length, 3);
  assert.ok(new Set(data).size > 20, 'not one colour');
});

test('the packed program can be a rank: what calls MPI is in the package', {
  skip: callsC ? noMpi : 'no ranks on this system',
}, () => {
  const dmd = join(installed, 'dist', 'dmd.js');
  const out = join(folder, 'pairs');
  const args = ['pairs', '--count', '2', '--steps', '1', '--device', 'cpu', '--threads', '1', '--out', out];
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const env = { ...process.env, ...root, NODE_PATH: '' };
  const mpirun = ['--oversubscribe', '--bind-to', 'none', '-np', '2', process.execPath, dmd, ...args];
  const { status, stdout, stderr } = spawnSync('mpirun', mpirun, { cwd: folder, encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /2 pairs in/);
});

test('without what calls C functions the packed program goes through onnxruntime-node, to the same picture', {
  skip: callsC ? false : 'it is not packed for this system',
}, () => {
  const before = sample('with koffi');
  rmSync(join(installed, 'dist', 'node_modules', 'koffi'), { recursive: true });
  const refused = sample('without koffi, refused', 'c-api');
  assert.equal(refused.status, exitCodes.device);
  assert.match(refused.stderr, /ONNX Runtime's C API cannot be used: Cannot find module 'koffi'/);
  const after = sample('without koffi');
  assert.equal(after.status, 0, after.stderr);
  assert.ok(after.picture().equals(before.picture()));
});

test('a platform without a native library is refused by name, with those that have one', () => {
  const script = fileURLToPath(new URL('../../scripts/package.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--target', 'darwin-x64'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /no native library for "darwin-x64"/);
  assert.match(stderr, /linux-x64/);
});
