/**
 * Ends the process when its parent is gone and its main thread does not notice, because it computes. A thread of its own,
 * since a busy one cannot watch itself.
 */
import { workerData } from 'node:worker_threads';

const everyMs = 200;
/** Time for the main thread to end in order. */
const graceMs = 400;

const { parent } = workerData as { parent: number };
const timer = setInterval(() => {
  if (isThere(parent)) return;
  clearInterval(timer);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs);
}, everyMs);

/** An orphan gets another parent (Linux, macOS); elsewhere the old id stays and is asked. */
function isThere(pid: number): boolean {
  if (process.ppid !== pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
