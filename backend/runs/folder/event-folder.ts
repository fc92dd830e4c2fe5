/**
 * Folders of other programs: TensorBoard event files without a run.json, as PyTorch's SummaryWriter leaves them. They are looked at
 * like runs, and nothing is written there but what a person notes about them. Score fields may lie beside the event files, in
 * fields/ as in a run folder (docs/other-programs.md).
 */
import fs from 'node:fs';
import path from 'node:path';
import { listFolder } from '../../files/folders.ts';
import { eventFileName } from '../events/writer.ts';

/** A program that has written nothing for so long is taken to have ended. */
const silentMilliseconds = 120_000;

/** Whether event files lie in the folder itself, and it is no run folder. Throws UserError('io'). */
export function isEventFolder(folder: string): boolean {
  if (fs.existsSync(path.join(folder, 'run.json'))) return false;
  const isFolder = fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder && eventFiles(folder).length > 0;
}

/** Where the event files of a run, or of another program, are. */
export const eventsIn = (folder: string): string => (isEventFolder(folder) ? folder : path.join(folder, 'events'));

/** Names, sizes and times: another text when something was written. */
export function eventFolderSignature(folder: string): string {
  return filesOf(folder)
    .map(({ name, size, mtimeMs }) => `${name} ${size} ${mtimeMs}`)
    .join();
}

/** When the first event file was begun and the last one written; ISO 8601. */
export function eventFolderTimes(folder: string, now = Date.now()) {
  const files = filesOf(folder);
  const begun = Math.min(...files.map(({ name }) => 1000 * Number(eventFileName.exec(name)![1])));
  const written = Math.max(...files.map(({ mtimeMs }) => mtimeMs));
  const goesOn = now - written < silentMilliseconds;
  return { createdAt: timeOf(begun), updatedAt: timeOf(written), goesOn };
}

/** A name may hold any number. */
const timeOf = (ms: number) => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null);

const eventFiles = (folder: string) => listFolder(folder).filter((name) => eventFileName.test(name));

function filesOf(folder: string) {
  return eventFiles(folder).flatMap((name) => {
    const status = fs.statSync(path.join(folder, name), { throwIfNoEntry: false });
    return status ? [{ name, size: status.size, mtimeMs: status.mtimeMs }] : [];
  });
}
