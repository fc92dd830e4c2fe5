/**
 * When the backend process ends: with the editor's end of the channel, on `shutdown`, on a signal, or on a bug that nobody
 * caught. Training runs are processes of their own and go on.
 */
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { RpcServer } from './server.ts';

/** Exit code of a bug, as of `dmd`. */
const bugCode = 70;
const cleanUpMs = 500;

/** Ends the process on every occasion; the returned function is one more. */
export function endWithParent(server: RpcServer): () => void {
  let ending = false;
  const end = async (code: number) => {
    if (ending) return;
    ending = true;
    // A clean-up that hangs or an unread channel must not keep the process.
    setTimeout(() => process.exit(code), cleanUpMs);
    await server.end((error) => complain(error));
    process.exit(code);
  };
  const crash = (error: unknown) => {
    complain(error);
    server.log('error', `the backend crashed: ${stackOf(error)}`);
    void end(bugCode);
  };
  process.on('disconnect', () => void end(0));
  // The editor may have gone while this program was being loaded, and nobody heard of it.
  if (!process.connected) void end(0);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(0));
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  return () => void end(0);
}

/** Started when the backend is up: a thread takes time to begin. */
export function startWatchdog(server: RpcServer): void {
  const worker = new Worker(new URL('./watchdog.worker.ts', import.meta.url), { workerData: { parent: process.ppid } });
  worker.unref();
  worker.on('error', (error) => server.log('warning', `nobody watches for the editor's end: ${error.message}`));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** At once, because the process may end before a stream is written. */
function complain(error: unknown): void {
  try {
    fs.writeSync(2, `dmd backend: ${stackOf(error)}\n`);
  } catch {
    // Nobody reads any more.
  }
}
