/** An editor of one's own: fresh profile, extensions and workspace in a temporary folder, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Editor } from './installed.ts';
import { attempt, type ProcessInfo, withEnvironment } from './processes.ts';
import { until } from './until.ts';

/** What would move, ask or reach for the network. */
const quietSettings = {
  // Windows of a browser without a screen win and lose the focus as they like; pickers stay.
  'workbench.quickOpen.closeOnFocusLost': false,
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'git.enabled': false,
  'chat.disableAIFeatures': true,
  'debug.openDebug': 'openOnSessionStart',
  'editor.cursorBlinking': 'solid',
  'window.dialogStyle': 'custom',
};

export interface ServerOptions {
  readonly vsix: string;
  /** Folder for what was installed from it, for the tests that follow. */
  readonly installed: string;
  readonly settings?: Record<string, unknown>;
  /** Files of the workspace: path -> text. */
  readonly files?: Record<string, string>;
  /** Folders of further extensions, which only this test needs. */
  readonly extensions?: readonly string[];
  /** Display language, such as zh-cn. The workbench's own texts stay English: a pack of them is not to be had here. */
  readonly locale?: string;
  /** False: the workspace is one that nobody has said they trust. */
  readonly trusted?: boolean;
}

export class EditorServer {
  readonly url: string;
  readonly workspace: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #trusted: boolean;
  readonly #locale: string | undefined;
  readonly #editor: Editor;
  readonly #workspaceSettings: Record<string, unknown> = {};
  #child: ChildProcess | undefined;

  private constructor(editor: Editor, folder: string, port: number, { trusted = true, locale }: ServerOptions) {
    this.#editor = editor;
    this.#locale = locale;
    this.#folder = folder;
    this.#port = port;
    this.#trusted = trusted;
    this.workspace = join(folder, 'workspace');
    this.url = `http://127.0.0.1:${port}/`;
  }

  /** Installs the extension into a new profile and starts the editor on a new workspace. */
  static async start(editor: Editor, options: ServerOptions): Promise<EditorServer> {
    // Short, because the paths of Unix sockets are.
    const folder = mkdtempSync(join(tmpdir(), 'dmd-e2e-'));
    const server = new EditorServer(editor, folder, await freePort(), options);
    try {
      server.#prepare(options);
      await server.#install(options);
      for (const extension of options.extensions ?? []) server.#addExtension(extension);
      await server.launch();
      return server;
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  /** Starts the editor, also once more after `kill`, with everything it had. */
  async launch(): Promise<void> {
    const trust = this.#trusted ? ['--disable-workspace-trust'] : [];
    const language = this.#locale === undefined ? [] : ['--locale', this.#locale];
    const quiet = ['--disable-telemetry', '--disable-update-check', ...trust, ...language];
    const address = ['--auth', 'none', '--bind-addr', `127.0.0.1:${this.#port}`];
    const child = this.#spawn([...address, ...quiet, '--disable-getting-started-override', this.workspace]);
    this.#child = child;
    await until(`the editor to answer at ${this.url}`, async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the editor ended:\n${this.log()}`);
      return fetch(`${this.url}healthz`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      );
    });
  }

  /** The extension's backend, if it runs. */
  backend(): ProcessInfo | undefined {
    return this.#started().find(({ command }) => /\bdist\/server\.js$/.test(command));
  }

  /** As when the machine's owner does it: the window's server and the extension host get no chance to say goodbye. */
  async kill(): Promise<void> {
    const child = this.#child!;
    const ended = once(child, 'exit');
    process.kill(-child.pid!, 'SIGKILL'); // the group of the editor, of which the backend is not
    await ended;
  }

  /** Changes a setting of the workspace, which the editor takes up at once. */
  setting(name: string, value: unknown): void {
    this.#workspaceSettings[name] = value;
    write(join(this.workspace, '.vscode', 'settings.json'), JSON.stringify(this.#workspaceSettings, null, 2));
  }

  /** What the editor's processes printed. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** Ends all that was started here, runs too, and removes what it left on disk. */
  async dispose(): Promise<void> {
    await until('every process to be gone', () => {
      const left = this.#started();
      for (const { pid } of left) attempt(() => process.kill(pid, 'SIGKILL'));
      return left.length === 0;
    });
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The folder is the home of every process, which tells them from those of others. */
  #started(): ProcessInfo[] {
    return withEnvironment(`HOME=${join(this.#folder, 'home')}`);
  }

  get #logFile(): string {
    return join(this.#folder, 'server.log');
  }

  #prepare({ settings, files = {} }: ServerOptions): void {
    const trust = { 'security.workspace.trust.enabled': !this.#trusted };
    const all = { ...quietSettings, ...trust, ...settings };
    write(join(this.#folder, 'user', 'User', 'settings.json'), JSON.stringify(all, null, 2));
    write(join(this.#folder, 'config.yaml'), 'auth: none\n');
    write(this.#logFile, '');
    if (this.#locale !== undefined) this.#addLanguage(this.#locale);
    mkdirSync(this.workspace);
    for (const [path, text] of Object.entries(files)) write(join(this.workspace, path), text);
  }

  /** Installs the extension, which takes seconds, once per editor; the tests that follow get a copy of what came of it. */
  async #install({ vsix, installed }: ServerOptions): Promise<void> {
    const own = join(this.#folder, 'extensions');
    const kept = join(installed, this.#editor.vscode);
    if (existsSync(kept)) return cpSync(kept, own, { recursive: true });
    const child = this.#spawn(['--install-extension', vsix]);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`the extension could not be installed:\n${this.log()}`);
    // Of two tests that began with nothing, both may be here.
    const part = `${kept}.${process.pid}`;
    cpSync(own, part, { recursive: true });
    if (existsSync(kept)) return rmSync(part, { recursive: true });
    attempt(() => renameSync(part, kept));
  }

  /** As if its pack had been installed: one without texts, so that extensions alone speak it. */
  #addLanguage(locale: string): void {
    const texts = join(this.#folder, 'language.json');
    write(texts, JSON.stringify({ version: '1.0.0', contents: {} }));
    const extensions = [{ extensionIdentifier: { id: 'dmd-test.language' }, version: '1.0.0' }];
    const pack = { hash: 'dmd-test', label: locale, extensions, translations: { vscode: texts } };
    write(join(this.#folder, 'user', 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
  }

  /** As if it had been installed: a folder, and a line in the editor's list. */
  #addExtension(source: string): void {
    const { publisher, name, version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const id = `${publisher}.${name}`;
    const relativeLocation = `${id}-${version}`;
    const all = join(this.#folder, 'extensions');
    cpSync(source, join(all, relativeLocation), { recursive: true });
    const list = join(all, 'extensions.json');
    const location = { $mid: 1, path: join(all, relativeLocation), scheme: 'file' };
    const entry = { identifier: { id }, version, location, relativeLocation, metadata: {} };
    writeFileSync(list, JSON.stringify([...JSON.parse(readFileSync(list, 'utf8')), entry]));
  }

  #spawn(args: string[]): ChildProcess {
    const at = (name: string) => join(this.#folder, name);
    const own = ['--config', at('config.yaml'), '--user-data-dir', at('user'), '--extensions-dir', at('extensions')];
    const child = spawn(this.#editor.command, [...this.#editor.args, ...own, ...args], {
      cwd: this.#folder,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, so that it can be ended whole
    });
    const note = (chunk: Buffer) => appendFileSync(this.#logFile, chunk);
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    return child;
  }

  /** Nothing of the person who runs the tests, or of an editor that they are run in. */
  #environment(): NodeJS.ProcessEnv {
    const foreign = /^(VSCODE_|ELECTRON_|NODE_OPTIONS|NODE_TEST_CONTEXT|npm_|XDG_|CI$)/;
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
    for (const name of ['CONFIG', 'DATA', 'CACHE', 'STATE']) env[`XDG_${name}_HOME`] = join(this.#folder, 'home');
    env.HOME = join(this.#folder, 'home');
    env.PATH = `${dirname(process.execPath)}${delimiter}${env.PATH ?? ''}`; // the Node that the backend is to run on
    return env;
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
