/**
 * One process at a time works in a run folder.
 *
 * `run.lock` is created exclusively and says who holds it. Its modification time is the lease: the holder touches the
 * open file every few seconds, which needs no space, so that a full disk costs nobody the lock, and which cannot revive a
 * lock that was taken over, since that one is another file. A lock is taken over when its process is dead or, where that
 * cannot be told (another host; a system that has no birth times), when its lease has run out, or ends later than any lease
 * does. Clocks of machines that share a run folder must agree to within the lease.
 */

import fs from 'node:fs';
import path from 'node:path';
import { writeAll } from '../../files/atomic.ts';
import { contained } from '../../files/contained.ts';
import { errorCode, onDisk } from '../../files/disk.ts';
import { readText } from '../../files/regular.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { z } from '../../protocol/config/zod.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';
import { type ProcessIdentity, type ProcessTable, processState, thisProcess } from './process-identity.ts';

export const lockName = 'run.lock';
/** A holder of which nobody can tell whether it lives, and that has not touched its lock for so long, is taken for dead. */
const leaseSeconds = 60;
const heartbeatSeconds = 10;

export interface LockOwner extends ProcessIdentity {
  /** ISO 8601: since when it works here. */
  readonly since: string;
  /** What other processes need to reach this one, e.g. its socket's path. */
  readonly contact: string;
}

export interface RunLock {
  readonly owner: LockOwner;
  /**
   * Renews the lease; a timer does so too, but not while a long computation blocks the thread.
   * @throws UserError('locked') when another process took the lock over: stop writing; UserError('io') of `folderGone`
   */
  renew(): void;
  /** What to say when the folder is no longer where it was, whatever else failed for it. */
  folderGone(): UserError | undefined;
  release(): void;
}

export interface LockOptions {
  readonly contact?: string;
  readonly leaseSeconds?: number;
  /** Default: the processes of this host. */
  readonly processes?: ProcessTable;
}

/**
 * Takes the lock of a folder; it is given back by `release` or when the process exits.
 * @throws UserError('locked') naming the process that works there
 */
export function acquireLock(folder: string, options: LockOptions = {}): RunLock {
  const file = path.join(folder, lockName);
  const lease = options.leaseSeconds ?? leaseSeconds;
  const holderOf = (name: string) => readHolder(name, lease, options.processes);
  const owner = {
    ...thisProcess(),
    since: new Date().toISOString(),
    contact: options.contact ?? '',
  };
  const handle =
    create(file, owner) ??
    withTakeoverGuard(file, holderOf, () => {
      const holder = holderOf(file);
      if (holder?.holds) throw lockedError(folder, holder, lease);
      fs.rmSync(file, { force: true });
      return create(file, owner);
    });
  if (handle === undefined) throw lockedError(folder, holderOf(file), lease);
  return hold(folder, file, handle, owner, lease);
}

/** Who works in a folder now, undefined when nobody does. */
export function readLock(folder: string, processes?: ProcessTable): LockOwner | undefined {
  const holder = readHolder(path.join(folder, lockName), leaseSeconds, processes);
  return holder?.holds ? holder.owner : undefined;
}

/** The open file, or undefined when it was there already. */
function create(file: string, owner: LockOwner): number | undefined {
  return onDisk('write', file, () => {
    let handle: number;
    try {
      handle = fs.openSync(file, 'wx');
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return undefined;
      throw error;
    }
    try {
      writeAll(handle, Buffer.from(`${JSON.stringify(owner, null, 2)}\n`));
      fs.fsyncSync(handle);
      return handle;
    } catch (error) {
      fs.closeSync(handle);
      fs.rmSync(file, { force: true });
      throw error;
    }
  });
}

interface Holder {
  readonly owner: LockOwner | undefined;
  readonly ageSeconds: number;
  readonly state: ReturnType<typeof processState>;
  readonly holds: boolean;
}

/** undefined: there is no lock. A lock without a readable owner is one being written, or cut off by a crash. */
function readHolder(file: string, lease: number, processes?: ProcessTable): Holder | undefined {
  return onDisk('read', file, () => {
    let text: string;
    let modified: number;
    try {
      const real = contained(path.dirname(file), path.basename(file));
      text = readText(real, 'note');
      modified = fs.statSync(file).mtimeMs;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const owner = parseOwner(text);
    const ageSeconds = (Date.now() - modified) / 1000;
    const state = owner ? processState(owner, processes) : 'unknown';
    return {
      owner,
      ageSeconds,
      state,
      holds: state === 'alive' || (state === 'unknown' && Math.abs(ageSeconds) < lease),
    };
  });
}

function isMissing(error: unknown): boolean {
  return errorCode(error instanceof UserError ? error.cause : error) === 'ENOENT';
}

const ownerSchema = z.object({
  pid: z.int(),
  host: z.string(),
  birth: z.string().default(''),
  since: z.string(),
  contact: z.string().default(''),
});

function parseOwner(text: string): LockOwner | undefined {
  try {
    return safeParse(ownerSchema, parseJson(text)).data;
  } catch {
    return undefined;
  }
}

/** Lets one process at a time judge and replace a dead lock: else the slower of two would delete the new one. */
function withTakeoverGuard<T>(
  file: string,
  holderOf: (file: string) => Holder | undefined,
  takeOver: () => T,
): T | undefined {
  const guard = `${file}.takeover`;
  const me = { ...thisProcess(), since: new Date().toISOString(), contact: '' };
  let handle = create(guard, me);
  if (handle === undefined && holderOf(guard)?.holds === false) {
    fs.rmSync(guard, { force: true });
    handle = create(guard, me);
  }
  if (handle === undefined) return undefined;
  try {
    return takeOver();
  } finally {
    fs.closeSync(handle);
    fs.rmSync(guard, { force: true });
  }
}

function lockedError(folder: string, holder: Holder | undefined, lease: number): UserError {
  const owner = holder?.owner;
  if (!owner) return new UserError('locked', `another process is taking over ${folder} right now`, 'Try again.');
  const who = `process ${owner.pid} on ${owner.host.split(' ')[0]}`;
  const hint =
    holder.state === 'unknown'
      ? `Stop that process, or, if it is dead, try again in ${Math.ceil(lease - holder.ageSeconds)} s.`
      : `Stop that process first (kill ${owner.pid}), or choose another run folder.`;
  return new UserError('locked', `${folder} is in use by ${who} since ${owner.since}`, hint);
}

function hold(folder: string, file: string, handle: number, owner: LockOwner, lease: number): RunLock {
  let held = true;
  const inoOf = (name: string) => onDisk('read', name, () => fs.statSync(name, { throwIfNoEntry: false })?.ino);
  const folderIno = inoOf(folder);
  const isOurs = () => inoOf(file) === fs.fstatSync(handle).ino;
  const timer = beatEvery(Math.min(heartbeatSeconds, lease / 3), handle);
  const folderGone = () => {
    if (inoOf(folder) === folderIno) return undefined;
    const hint = 'Bring it back to go on from its last checkpoint, or begin again.';
    return new UserError('io', `${folder} was deleted, moved or replaced while this process worked in it`, hint);
  };
  const release = () => {
    if (!held) return;
    held = false;
    clearInterval(timer);
    process.off('exit', release);
    try {
      if (isOurs()) fs.rmSync(file, { force: true });
    } catch {
      // The disk is away: whoever comes next sees that this process is dead.
    }
    fs.closeSync(handle);
  };
  process.on('exit', release);
  return {
    owner,
    renew() {
      const gone = folderGone();
      if (gone) throw gone;
      if (!held || !isOurs()) {
        const hint = 'Another process works there now; look at its log, and do not resume before it has stopped.';
        throw new UserError(
          'locked',
          `the lock of ${folder} was lost (${lockName} is gone or belongs to another)`,
          hint,
        );
      }
      onDisk('write', file, () => beat(handle));
    },
    release,
    folderGone,
  };
}

/**
 * Renews the lease of a lock that another thread of this process holds and cannot renew while it computes.
 * @returns ends it
 */
export function renewForThread(folder: string): () => void {
  let handle: number;
  try {
    handle = fs.openSync(path.join(folder, lockName), 'r+');
  } catch {
    return () => {};
  }
  const timer = beatEvery(heartbeatSeconds, handle);
  return () => {
    clearInterval(timer);
    fs.closeSync(handle);
  };
}

function beatEvery(seconds: number, handle: number): NodeJS.Timeout {
  const tryBeat = () => {
    try {
      beat(handle);
    } catch {
      // A disk that is away for a moment must not end the run; whether the lock is still ours, `renew` finds out.
    }
  };
  return setInterval(tryBeat, seconds * 1000).unref();
}

function beat(handle: number): void {
  fs.futimesSync(handle, new Date(), new Date());
}
