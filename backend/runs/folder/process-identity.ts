/**
 * Whether the process that wrote a note is still the one running. A process id alone does not say: ids are used again
 * after a restart and mean nothing in another container.
 */
import fs from 'node:fs';
import os from 'node:os';
import { errorCode } from '../../files/disk.ts';
import { readText } from '../../files/regular.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Where the pid means something: the machine's name and, on Linux, the pid namespace (a container has its own). */
  readonly host: string;
  /** Tells a process from a later one with the same pid (Linux: boot and start time), '' where it is not known. */
  readonly birth: string;
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, host: thisHost(), birth: birthOf(process.pid) };
}

/** What the system says about the processes of this host; a test has its own. */
export interface ProcessTable {
  isThere(pid: number): boolean;
  birthOf(pid: number): string;
}

const realTable: ProcessTable = { isThere, birthOf };

/**
 * `unknown` on another host, where nobody can ask, and where the system does not say when a process was started (macOS,
 * Windows): the one that is there may be another with the same id.
 */
export function processState(
  { pid, host, birth }: ProcessIdentity,
  table: ProcessTable = realTable,
): 'alive' | 'dead' | 'unknown' {
  if (host !== thisHost()) return 'unknown';
  if (!table.isThere(pid)) return 'dead';
  const now = table.birthOf(pid);
  if (birth === '' || now === '') return 'unknown';
  return birth === now ? 'alive' : 'dead';
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, but belongs to somebody else.
    return errorCode(error) === 'EPERM';
  }
}

function thisHost(): string {
  return [os.hostname(), readOr('', () => fs.readlinkSync('/proc/self/ns/pid'))].filter(Boolean).join(' ');
}

/** A zombie (killed, its parent has not asked yet) counts as gone. */
function birthOf(pid: number): string {
  return readOr('', () => {
    const stat = readText(`/proc/${pid}/stat`, 'note');
    // The command name, in parentheses, may hold blanks: fields are counted from behind it. state is 3, starttime 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = readText('/proc/sys/kernel/random/boot_id', 'note').trim();
    return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : `${boot} ${fields[19]}`;
  });
}

function readOr<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
