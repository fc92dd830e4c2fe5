/** The program of a run's own process, main.ts, as whoever starts it needs it. */
import { fileURLToPath } from 'node:url';
import type { Answer } from './handshake.ts';
import type { StartLog } from './run-log.ts';

export interface StartOptions {
  /** What relative paths in `set` are taken from. Default: this process's folder. */
  readonly cwd?: string;
  /** Gives up a start that has not come to its run folder yet, and ends its process. */
  readonly signal?: AbortSignal;
  /** Node's flags. Default: those of this process, but for the debugger's. */
  readonly execArgv?: readonly string[];
  /** The program of the run's process. Default: the one of this build. */
  readonly program?: string;
}

/** Beside this file in the sources; in dist/ every bundle lies in one folder. */
export function entry(): string {
  const name = import.meta.url.endsWith('.ts') ? './main.ts' : './run-process.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Electron is a Node only with its switch; another Node must not pass it on. The editor's debugger stays out of it. */
export function environment(): NodeJS.ProcessEnv {
  const { ELECTRON_RUN_AS_NODE: _, VSCODE_INSPECTOR_OPTIONS: __, ...env } = process.env;
  return process.versions.electron ? { ...env, ELECTRON_RUN_AS_NODE: '1' } : env;
}

/** Node's flags: those given, else those of this process, but for the debugger's. */
export function flags(given: readonly string[] | undefined): string[] {
  return [...(given ?? process.execArgv.filter((flag) => !flag.startsWith('--inspect')))];
}

/** What a process that ended without a word has said last. */
export function failure(message: string, log: StartLog): Answer {
  const tail = log.tail();
  return {
    type: 'failed',
    error: { kind: 'bug', message: tail ? `${message}\n${tail}` : message, hint: '', stack: '' },
  };
}
