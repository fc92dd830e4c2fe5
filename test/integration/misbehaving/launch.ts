/** Forks one of the backends of this folder as the extension would, and notes what it logs. */
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { request } from '../../../backend/protocol/rpc/define.ts';
import { BackendProcess, type CancelToken, type ProcessOptions } from '../../../extension/backend/process.ts';

export interface Noted {
  readonly lines: string[];
  /** Resolves when a line with this text has been logged. */
  line(text: string): Promise<void>;
}

export function noting(): Noted & ProcessOptions['log'] {
  const lines: string[] = [];
  const emitter = new EventEmitter();
  const note = (text: string) => {
    lines.push(text);
    emitter.emit('line');
  };
  const line = async (text: string) => {
    while (!lines.some((each) => each.includes(text))) await once(emitter, 'line');
  };
  return { lines, line, info: note, warn: note, error: note };
}

export function launch(
  name: string,
  options: Partial<ProcessOptions> = {},
): { backend: BackendProcess; log: ReturnType<typeof noting> } {
  const log = noting();
  const node = { path: process.execPath, version: process.versions.node, why: 'the one of the tests', environment: {} };
  const server = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  return { backend: new BackendProcess({ node, server, log, onNotification: () => {}, ...options }), log };
}

/** A request of no protocol: what comes back is not looked at. */
export const ask = (method: string, timeoutSeconds: number | null = 20) =>
  request(method, z.unknown(), z.unknown(), timeoutSeconds);

/** A vscode.CancellationTokenSource, as far as requests need it. */
export function cancellable(): { token: CancelToken; cancel(): void } {
  const listeners = new Set<() => void>();
  const token = {
    isCancellationRequested: false,
    onCancellationRequested(listener: () => void) {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
  };
  const cancel = () => {
    token.isCancellationRequested = true;
    for (const listener of listeners) listener();
  };
  return { token, cancel };
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
