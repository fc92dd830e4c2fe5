/** Python programs stopped by the real debugpy, without an editor: what its adapter says is what the editor would hear. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Debuggee } from '../../../extension/values/debuggee.ts';

const named = process.env.DMD_TEST_PYTHON;
const candidates = named ? [path.join(named, 'bin', 'python3'), named, 'python3'] : ['python3'];

/** A Python with these modules, or undefined. */
export function pythonWith(...modules: string[]): string | undefined {
  const found = modules.map((name) => `find_spec('${name}')`).join(' and ');
  const check = ['-c', `from importlib.util import find_spec; exit(not (${found}))`];
  return candidates.find((python) => spawnSync(python, check, { stdio: 'ignore' }).status === 0);
}

export const python = pythonWith('debugpy', 'numpy');
export const noPython = python === undefined && 'no Python with debugpy and NumPy (npm test -- --install)';

export interface Stopped extends Debuggee {
  readonly line: number;
}

export class PythonProgram {
  readonly client: DebugClient;
  readonly #file: string;
  readonly #ended: Promise<unknown>;
  #output = '';
  #now = new AbortController();

  private constructor(client: DebugClient, file: string) {
    this.client = client;
    this.#file = file;
    client.on('output', ({ body }: DebugProtocol.OutputEvent) => {
      if (body.category === 'stdout' || body.category === 'stderr') this.#output += body.output;
    });
    this.#ended = new Promise((resolve) => client.on('terminated', resolve));
    client.on('continued', () => this.#resumed());
  }

  /**
   * Starts a program with a breakpoint on every line that ends with the comment `# stop`.
   * @param modules files that it can import, by name
   */
  static async start(
    t: TestContext,
    program: string,
    { modules = {}, interpreter = python! }: { modules?: Record<string, string>; interpreter?: string } = {},
  ): Promise<PythonProgram> {
    const folder = mkdtempSync(path.join(tmpdir(), 'dmd-python-'));
    const file = path.join(folder, 'program.py');
    writeFileSync(file, program);
    for (const [name, text] of Object.entries(modules)) writeFileSync(path.join(folder, name), text);
    const adapter = spawnSync(interpreter, ['-c', 'import debugpy.adapter as a; print(a.__path__[0])'], {
      encoding: 'utf8',
    });
    const client = new DebugClient(interpreter, adapter.stdout.trim(), 'debugpy');
    client.defaultTimeout = 60_000;
    await client.start();
    t.after(async () => {
      await client.stop().catch(() => {}); // it may have ended by itself
      rmSync(folder, { recursive: true, force: true });
    });
    const made = new PythonProgram(client, file);
    const lines = program.split('\n').flatMap((text, i) => (/# stop$/.test(text) ? [i + 1] : []));
    const configured = client.waitForEvent('initialized').then(async () => {
      await client.setBreakpointsRequest({ source: { path: file }, breakpoints: lines.map((line) => ({ line })) });
      await client.configurationDoneRequest();
    });
    const launched = client.launch({ program: file, console: 'internalConsole', python: [interpreter], cwd: folder });
    await Promise.all([configured, launched, made.stop()]);
    return made;
  }

  /** What the program printed. */
  get output(): string {
    return this.#output;
  }

  #stopped: Promise<Stopped> | undefined;

  /** Where it stands, or will stand next. */
  stop(): Promise<Stopped> {
    this.#stopped ??= this.client.waitForEvent('stopped', 60_000).then(({ body }) => this.#where(body.threadId));
    return this.#stopped;
  }

  /** Lets it run to the next breakpoint. */
  async next(): Promise<Stopped> {
    const { threadId } = await this.#thread();
    this.#stopped = undefined;
    const stopped = this.stop();
    this.#resumed();
    await this.client.continueRequest({ threadId });
    return stopped;
  }

  /** Lets it run to its end, and says what it printed. */
  async finish(): Promise<string> {
    const { threadId } = await this.#thread();
    this.#resumed();
    await this.client.continueRequest({ threadId });
    await this.#ended;
    return this.#output;
  }

  async #thread(): Promise<{ threadId: number }> {
    await this.stop();
    const { body } = await this.client.threadsRequest();
    return { threadId: body.threads[0]!.id };
  }

  #resumed(): void {
    this.#now.abort();
    this.#now = new AbortController();
  }

  async #where(threadId: number): Promise<Stopped> {
    const { body } = await this.client.stackTraceRequest({ threadId });
    const [frame] = body.stackFrames;
    return {
      type: 'debugpy',
      source: this.#file,
      frameId: frame!.id,
      line: frame!.line,
      resumed: this.#now.signal,
      request: async (command, args) => (await this.client.customRequest(command, args)).body,
    };
  }
}
