/** Starting runs and commanding them. Every run is a process of its own, which outlives this one. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import type { Pace } from '../../protocol/rpc/index.ts';
import { configFromText } from '../../runs/config-file.ts';
import type { RunRequest } from '../../runs/loop/open.ts';

export interface StartParams {
  readonly text: string;
  readonly file: string;
  readonly root: string;
  readonly set: readonly string[];
  /** Waits for a debugger before the first iteration. */
  readonly debug?: boolean | undefined;
  /** From the first iteration on. */
  readonly pace?: Pace | undefined;
}

/** @returns the run's folder. Throws UserError of every kind, as the run has it */
export async function startNewRun(
  { text, file, root, set, debug = false, pace }: StartParams,
  signal: AbortSignal,
): Promise<string> {
  requireAbsolute(file);
  requireAbsolute(root);
  const config = configFromText(text, file);
  const request = { start: { config, root: config.out ?? root }, set, half: false, debug, pace };
  return start(request, folderThatIs(path.dirname(file)), signal);
}

/** Throws UserError of every kind, 'locked' among them. */
export async function resumeRunIn(
  folder: string,
  { set, debug = false }: Pick<StartParams, 'set' | 'debug'>,
  signal: AbortSignal,
): Promise<void> {
  await start({ start: { folder }, set, half: false, debug }, folder, signal);
}

async function start(request: RunRequest, cwd: string | undefined, signal: AbortSignal): Promise<string> {
  const { startRunProcess } = await import('../../runs/live/start.ts');
  const { folder } = await startRunProcess(request, { signal, ...(cwd === undefined ? {} : { cwd }) });
  return folder;
}

/** A config that was never saved may lie in a folder that does not exist. */
function folderThatIs(folder: string): string | undefined {
  return fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : undefined;
}

function requireAbsolute(file: string): void {
  if (path.isAbsolute(file) && !file.includes('\0')) return;
  throw new UserError('usage', `${JSON.stringify(file)} is not an absolute path`, 'Give a whole path.');
}
