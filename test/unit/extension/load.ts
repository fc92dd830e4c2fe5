/** Loads a part of the extension as the editor would, bundled, beside the `vscode` of vscode.cjs. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What vscode.cjs shows of itself to tests. */
export interface FakeVscode {
  /** [name, ...arguments], in order. */
  readonly calls: [name: string, ...args: unknown[]][];
  readonly answers: Map<string, unknown>;
  readonly registered: Map<string, (...args: unknown[]) => unknown>;
  readonly trustGranted: { fire(value: undefined): void };
  readonly configurationChanged: { fire(event: { affectsConfiguration(name: string): boolean }): void };
  readonly env: { remoteName: string | undefined };
  readonly log: { readonly lines: [level: string, text: string][]; show(): void };
  readonly statusBarItem: { shown: boolean; text: string; command: string };
  readonly workspace: { isTrusted: boolean; workspaceFolders: unknown; settings: Record<string, unknown> };
  readonly Uri: { file(path: string): { fsPath: string } };
  readonly EventEmitter: new <T>() => {
    event: (listener: (value: T) => void) => { dispose(): void };
    fire(value: T): void;
  };
}

export interface Loaded<T> {
  readonly exports: T;
  readonly vscode: FakeVscode;
  /** How long the editor would have waited for the file to be loaded. */
  readonly milliseconds: number;
  readonly metafile: Metafile;
}

/** @param entry a file, or sources that import from the repository's root */
export async function load<T>(entry: string): Promise<Loaded<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-extension-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'bundle.cjs');
  const { metafile } = await build({
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['vscode'],
    metafile: true,
    logLevel: 'error',
  });
  const stub = join(folder, 'node_modules', 'vscode');
  await mkdir(stub, { recursive: true });
  await copyFile(fileURLToPath(new URL('./vscode.cjs', import.meta.url)), join(stub, 'index.js'));
  const require = createRequire(outfile);
  const vscode = require('vscode') as FakeVscode;
  const started = performance.now();
  const exports = require(outfile) as T;
  return { exports, vscode, milliseconds: performance.now() - started, metafile };
}

/** What `activate` takes. */
export function extensionContext(vscode: FakeVscode) {
  const memory = () => {
    const values = new Map<string, unknown>();
    return {
      get: (key: string, otherwise?: unknown) => values.get(key) ?? otherwise,
      update: async (key: string, value: unknown) => void values.set(key, value),
      keys: () => [...values.keys()],
    };
  };
  return {
    subscriptions: [] as { dispose(): unknown }[],
    extensionUri: vscode.Uri.file(root),
    globalStorageUri: vscode.Uri.file(join(tmpdir(), 'dmd-no-such-storage')),
    storageUri: undefined,
    workspaceState: memory(),
    globalState: memory(),
    extension: { packageJSON: { version: '0.0.0' } },
  };
}
