/** From the arguments of `launch` and `attach` to a line to the run. */
import path from 'node:path';
import { z } from '../protocol/config/zod.ts';
import { readConfigFile } from '../runs/config-file.ts';
import { runPaths } from '../runs/folder/run-folder.ts';
import { connectRun, connectRunIn, type RunLink } from '../runs/live/link.ts';
import { startRunProcess } from '../runs/live/start.ts';
import type { RunRequest } from '../runs/loop/open.ts';
import { AdapterError } from './errors.ts';

const absolute = z.string().refine(path.isAbsolute, { message: 'expected an absolute path' });

export const launchSchema = z.object({
  /** NAME.dmd.json. */
  config: absolute.optional(),
  /** Instead of it a run folder, which goes on from its latest sound checkpoint. */
  resume: absolute.optional(),
  /** Changes of single values, `key.of.it=value`. */
  set: z.array(z.string()).default([]),
  device: z.string().optional(),
  /** Folder for the run folder, where the config has no `out`. Default: runs, beside the config. */
  out: absolute.optional(),
  /** Whether to stop before the first iteration. */
  stopOnEntry: z.boolean().default(false),
  /** Only runs. */
  noDebug: z.boolean().default(false),
});
export type LaunchArguments = z.infer<typeof launchSchema>;

export const attachSchema = z.object({
  /** Folder of a run that works. */
  run: absolute,
  /** The config whose listing is shown. Default: the run's own copy. */
  config: absolute.optional(),
  stopOnEntry: z.boolean().default(false),
});
export type AttachArguments = z.infer<typeof attachSchema>;

export interface ReachedRun {
  readonly link: RunLink;
  /** The config whose listing is the source. */
  readonly config: string;
  /** Of the run's process; undefined for one that somebody else started. */
  readonly pid?: number;
}

/** Starts a run in a process of its own that waits for its debugger. Throws UserError as the run has it. */
export async function launchRun(args: LaunchArguments, signal: AbortSignal): Promise<ReachedRun> {
  const { start, source } = whatToStart(args);
  const set = args.device === undefined ? args.set : [...args.set, `device=${JSON.stringify(args.device)}`];
  const request: RunRequest = { start, set, half: false, debug: !args.noDebug };
  const { contact, folder, pid } = await startRunProcess(request, { signal, cwd: path.dirname(source) });
  const link = await (contact === '' ? connectRunIn(folder) : connectRun(contact));
  return { link, config: source, pid };
}

/** Throws UserError when no run works there, or it cannot be reached. */
export async function attachRun({ run, config }: AttachArguments): Promise<ReachedRun> {
  return { link: await connectRunIn(run), config: config ?? runPaths(run).config };
}

function whatToStart({ config: file, resume, out }: LaunchArguments): {
  readonly start: RunRequest['start'];
  readonly source: string;
} {
  if (file !== undefined && resume !== undefined) throw new AdapterError('twoToLaunch');
  if (resume !== undefined) return { start: { folder: resume }, source: runPaths(resume).config };
  if (file === undefined) throw new AdapterError('nothingToLaunch');
  const config = readConfigFile(file);
  return { start: { config, root: config.out ?? out ?? path.join(path.dirname(file), 'runs') }, source: file };
}
