/**
 * run.log: what a run's own process writes to its standard output and error, crashes of native code included. A new run
 * has no folder yet, so its log begins under a temporary name beside where the folder will be (on the same disk, since an
 * open file can be moved only there).
 */
import fs from 'node:fs';
import path from 'node:path';
import { temporaryPath } from '../../files/atomic.ts';
import { errorCode, onDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { readText, refuseLink } from '../../files/regular.ts';
import { runPaths } from '../folder/run-folder.ts';
import type { RunRequest } from '../loop/open.ts';

const logName = 'run.log';
/** Appends, and neither follows a link that somebody put in its place nor waits for the reader of a pipe. */
const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
const flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK;

export interface StartLog {
  /** What the process gets as its output. */
  readonly output: number | 'ignore';
  /** The temporary file, for the process to move; null where none is needed. */
  readonly temporary: string | null;
  /** The last lines, to explain a process that ended without a word. */
  tail(): string;
  /** Closes it here. @param discard also removes a temporary file, with the folders that were made for it alone */
  close(discard: boolean): void;
}

/** Throws UserError('io'). */
export function openStartLog(start: RunRequest['start']): StartLog {
  if ('folder' in start) {
    // The process says what is wrong with a folder that is not a run's; nothing is written there.
    if (!fs.existsSync(runPaths(start.folder).info)) return { ...none, output: 'ignore' };
    const file = path.join(start.folder, logName);
    const output = openLog(file);
    return { output, temporary: null, tail: () => lastLines(file), close: () => fs.closeSync(output) };
  }
  const root = path.resolve(start.root);
  const missing = missingFolders(root);
  makeFolder(root);
  const temporary = temporaryPath(path.join(root, logName));
  const output = openLog(temporary);
  return {
    output,
    temporary,
    tail: () => lastLines(temporary),
    close(discard) {
      fs.closeSync(output);
      if (!discard) return;
      fs.rmSync(temporary, { force: true });
      for (const folder of missing) removeEmpty(folder);
    },
  };
}

/** Gives a log its place in the run folder; whoever has it open goes on writing to it. Throws what the disk says. */
export function adoptLog(temporary: string, folder: string): void {
  fs.renameSync(temporary, path.join(folder, logName));
}

/** Adds a line to the log of a run that has a terminal of its own. What the disk refuses is not said. */
export function noteInLog(folder: string, text: string): void {
  try {
    const handle = openLog(path.join(folder, logName));
    try {
      fs.writeSync(handle, `${new Date().toISOString()} ${text}\n`);
    } finally {
      fs.closeSync(handle);
    }
  } catch {}
}

const none = { temporary: null, tail: () => '', close() {} };

function openLog(file: string): number {
  return onDisk('write', file, () => {
    refuseLink(file);
    return fs.openSync(file, flags, 0o644);
  });
}

function lastLines(file: string): string {
  try {
    return readText(file, 'log').trimEnd().split('\n').slice(-12).join('\n');
  } catch {
    return '';
  }
}

/** The folders that `makeFolder` will have to make, the innermost first. */
function missingFolders(folder: string): string[] {
  return fs.existsSync(folder) ? [] : [folder, ...missingFolders(path.dirname(folder))];
}

function removeEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch (error) {
    if (errorCode(error) === '') throw error;
  }
}
