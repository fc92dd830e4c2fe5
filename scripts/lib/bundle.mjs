// Bundles the sources into dist/: the `dmd` command, the backend's processes, one file per worker, the extension, and one
// script with its style sheet per webview panel.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure, say, seconds } from './console.mjs';
import { root } from './process.mjs';

/** Native or optional packages, loaded at run time from node_modules. */
const external = ['onnxruntime-node', '@tensorflow/*', 'koffi', 'vscode'];

/** CommonJS packages inside an ES module bundle still call `require`. */
const preamble = [
  '#!/usr/bin/env node',
  "import { createRequire as createBundleRequire } from 'node:module';",
  'const require = createBundleRequire(import.meta.url);',
].join('\n');

/**
 * Builds everything into `folder`; throws a Failure when a source does not compile. Resolves to the names of the npm
 * packages that the bundles contain (with repetitions).
 */
export async function build({ folder = join(root, 'dist'), sourcemap = true } = {}) {
  const start = performance.now();
  await mkdir(folder, { recursive: true });
  const workers = (await readdir(join(root, 'backend'), { recursive: true })).filter((file) =>
    file.endsWith('.worker.ts'),
  );
  const common = { ...forNode, sourcemap: sourcemap && 'linked' };
  const command = {
    ...common,
    ...asCommand,
    entryPoints: {
      dmd: 'backend/cli/main.ts',
      server: 'backend/server/main.ts',
      'run-process': 'backend/runs/live/main.ts',
      ...Object.fromEntries(workers.map((file) => [basename(file, '.ts'), join('backend', file)])),
    },
    outdir: folder,
  };
  const extension = {
    ...common,
    entryPoints: ['extension/extension.ts'],
    outfile: join(folder, 'extension.cjs'),
    format: 'cjs',
  };
  const webviews = {
    ...common,
    platform: 'browser',
    target: 'es2022',
    mainFields: ['browser', 'module', 'main'],
    entryPoints: Object.fromEntries((await panels()).map((panel) => [panel, join('webview', panel, 'main.ts')])),
    outdir: join(folder, 'webview'),
    format: 'iife',
    minify: true,
    external: [],
  };
  const packages = await bundled([command, extension, webviews]);
  await chmod(join(folder, 'dmd.js'), 0o755);
  if (folder === join(root, 'dist')) await linkCommand();
  say(`Built ${basename(folder)}/ in ${seconds(start)}.`);
  return { packages };
}

/** Bundles a program that runs in Node, one file per entry point, into `folder`; answers as `build` does. */
export async function bundleProgram({ entryPoints, folder }) {
  return { packages: await bundled([{ ...forNode, ...asCommand, entryPoints, outdir: folder }]) };
}

/** The names of the npm packages in what esbuild makes. Throws a Failure when a source does not compile. */
async function bundled(all) {
  const esbuild = await import('esbuild');
  try {
    const builds = all.map((options) => esbuild.build(options));
    await Promise.allSettled(builds); // one that fails leaves none behind that still writes
    return (await Promise.all(builds)).flatMap(({ metafile }) => bundledPackages(metafile));
  } catch (error) {
    if (!error.errors) throw error;
    const messages = await esbuild.formatMessages(error.errors, { kind: 'error', color: process.stdout.isTTY });
    throw new Failure(
      `the build failed:\n${messages.join('').trimEnd()}`,
      'Fix the sources named above, then run npm run build.',
    );
  }
}

/** The packages whose files ended up in a bundle's output. */
function bundledPackages({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  return inputs.flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []);
}

/** The folders of webview/ that hold a panel. */
async function panels() {
  const folders = await readdir(join(root, 'webview'));
  return folders.filter((name) => existsSync(join(root, 'webview', name, 'main.ts')));
}

/** Makes `npx dmd` this checkout's command: npm links the commands of dependencies, but not a package's own. */
async function linkCommand() {
  const folder = join(root, 'node_modules', '.bin');
  if (process.platform === 'win32') {
    return writeFile(join(folder, 'dmd.cmd'), '@node "%~dp0\\..\\..\\dist\\dmd.js" %*\r\n');
  }
  const link = join(folder, 'dmd');
  await rm(link, { force: true });
  await symlink('../../dist/dmd.js', link);
}

/** zod's messages in fifty languages are half of the extension's bundle, and every activation would read them. */
const englishOnly = {
  name: 'english-only',
  setup(builder) {
    builder.onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, ({ importer, resolveDir }) =>
      /[\\/]zod[\\/]/.test(importer) ? { path: join(resolveDir, '..', 'locales', 'en.js') } : undefined,
    );
  },
};

/**
 * Sources name a worker the standard way, `new URL('./x.worker.ts', import.meta.url)`, which works when they are run as
 * they are; in dist/ every bundle lies in one folder and a worker is called x.worker.js.
 */
const workerUrls = {
  name: 'worker-urls',
  setup(builder) {
    const reference = /new URL\('[^']*?([\w-]+\.worker)\.ts', import\.meta\.url\)/g;
    builder.onLoad({ filter: /[\\/](backend|test)[\\/].*\.ts$/ }, async ({ path }) => {
      const source = (await readFile(path, 'utf8')).replace(/^#!.*/, ''); // the preamble brings it
      return { contents: source.replace(reference, "new URL('./$1.js', import.meta.url)"), loader: 'ts' };
    });
  },
};

const forNode = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  // jsonc-parser's CommonJS build loads its parts in a way that cannot be bundled; its ES modules can.
  mainFields: ['module', 'main'],
  target: 'node20.12',
  metafile: true,
  external,
  plugins: [englishOnly],
  logLevel: 'silent',
};

const asCommand = { format: 'esm', banner: { js: preamble }, plugins: [englishOnly, workerUrls] };
