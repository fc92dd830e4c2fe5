/**
 * A run folder, the truth about a run:
 *
 *   config.dmd.json  the resolved config: every default filled in, paths absolute
 *   config.until-00001000.dmd.json  the config up to that iteration, where it was changed at a resume
 *   run.json         state, version, device, times, last step, error (run-info.ts)
 *   run.lock         who works here now (lock.ts)
 *   run.log          what a run's own process has to say (live/)
 *   about.json       the person's name and tags for it (annotations.ts)
 *   events/          TensorBoard event files
 *   samples/         pictures
 *   fields/          score fields and probe (fields.ts)
 *   checkpoints/     checkpoints.ts
 *
 * `run.json` is written last: a folder without it is not a run (yet).
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { readOwnText } from '../../files/contained.ts';
import { onDisk } from '../../files/disk.ts';
import { listFolder, makeFolder, removeLeftovers } from '../../files/folders.ts';
import { type Config, parseConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { fieldKinds } from '../../training/session.ts';
import { eventFolderTimes, isEventFolder } from './event-folder.ts';
import { acquireLock, type LockOptions, type LockOwner, type RunLock, readLock } from './lock.ts';
import { refuseForeignParts } from './own-parts.ts';
import { parseRunInfo, type RunInfo, type RunState } from './run-info.ts';
import { claimRunFolder } from './run-name.ts';

const configName = 'config.dmd.json';
const infoName = 'run.json';

/** Where things are in a run folder. */
export interface RunPaths {
  readonly folder: string;
  readonly config: string;
  readonly info: string;
  readonly events: string;
  readonly samples: string;
  readonly fields: string;
  readonly checkpoints: string;
}

export function runPaths(folder: string): RunPaths {
  const at = (name: string) => path.join(folder, name);
  return {
    folder,
    config: at(configName),
    info: at(infoName),
    events: at('events'),
    samples: at('samples'),
    fields: at('fields'),
    checkpoints: at('checkpoints'),
  };
}

/** What a process knows about itself when it starts a run. */
export interface RunSetup {
  /** Version of this program. */
  readonly version: string;
  /** The device as chosen, never `auto`. */
  readonly device: string;
  readonly threads: number;
  /** Processes that train it together, 1 unless given. */
  readonly ranks?: number;
}

/** A run this process works on; it holds the lock until `close`. */
export interface OpenRun {
  readonly paths: RunPaths;
  readonly lock: RunLock;
  config(): Config;
  /** Replaces the config from the iteration after `step` on; the one that held until then stays beside it. */
  changeConfig(config: Config, step: number): void;
  /** What `run.json` says. */
  info(): RunInfo;
  /** Changes `run.json`; the time of the change is noted. Throws UserError('locked') if the lock was lost. */
  update(change: Partial<RunInfo>): void;
  close(): void;
}

/**
 * Creates a run folder under `root`, named by date and the config's name, and locks it; its state is `queued`.
 * @throws UserError('io')
 */
export function createRun(root: string, config: Config, setup: RunSetup, lockOptions: LockOptions = {}): OpenRun {
  const now = new Date();
  const parts = ['events', 'samples', 'fields', 'checkpoints', configName];
  const { folder, lock } = claimRunFolder(path.resolve(root), config.name ?? config.kind, now, parts, lockOptions);
  const paths = runPaths(folder);
  const time = now.toISOString();
  const info: RunInfo = {
    format: 1,
    kind: config.kind,
    name: path.basename(folder),
    state: 'queued',
    ...describeSetup(setup),
    createdAt: time,
    startedAt: null,
    endedAt: null,
    updatedAt: time,
    step: 0,
    iterations: config.iterations,
    error: null,
    ...{ failures: [], inputs: {}, changes: [], settings: [], interventions: [] },
  };
  try {
    removeLeftovers(folder);
    for (const part of [paths.events, paths.samples, paths.fields, paths.checkpoints]) makeFolder(part);
    writeFileAtomic(paths.config, toJson(config));
    writeFileAtomic(paths.info, toJson(info));
  } catch (error) {
    lock.release();
    throw error;
  }
  return openRun(paths, config, info, lock);
}

/**
 * Opens a run to go on with it: takes the lock, clears what a killed process left half-written, notes the new setup.
 * @throws UserError('locked') when another process works there, UserError('data') when it is not a run folder,
 * UserError('io') when a part of it is a link that leads out of it
 */
export function resumeRun(folder: string, setup: RunSetup, lockOptions: LockOptions = {}): OpenRun {
  const paths = runPaths(path.resolve(folder));
  requireRun(paths);
  refuseForeignParts(paths.folder);
  const lock = acquireLock(paths.folder, lockOptions);
  try {
    for (const part of [paths.folder, paths.events, paths.samples, paths.fields, paths.checkpoints]) {
      makeFolder(part);
      // Where events/ is a link, others may have half-written files of theirs there.
      if (part !== paths.events || isOwnFolder(part)) removeLeftovers(part);
    }
    for (const kind of fieldKinds) removeLeftovers(path.join(paths.fields, kind));
    const info = { ...goingOn(readInfo(paths)), ...describeSetup(setup) };
    return openRun(paths, readConfig(paths), info, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What ended the run is over, and not forgotten. */
function goingOn(info: RunInfo): RunInfo {
  const { error, step, endedAt, updatedAt, failures } = info;
  const ended = error === null ? [] : [{ ...error, step, at: endedAt ?? updatedAt }];
  return { ...info, error: null, endedAt: null, failures: [...failures, ...ended] };
}

function openRun(paths: RunPaths, firstConfig: Config, firstInfo: RunInfo, lock: RunLock): OpenRun {
  let config = firstConfig;
  let info = firstInfo;
  return {
    paths,
    lock,
    config: () => config,
    changeConfig(next, step) {
      lock.renew();
      const before = path.join(paths.folder, `config.until-${String(step).padStart(8, '0')}.dmd.json`);
      // Changed twice before the next iteration: what held until here is there already.
      if (!fs.existsSync(before)) writeFileAtomic(before, toJson(config));
      writeFileAtomic(paths.config, toJson(next));
      config = next;
    },
    info: () => info,
    update(change) {
      lock.renew();
      const next = { ...info, ...change, updatedAt: new Date().toISOString() };
      writeFileAtomic(paths.info, toJson(next));
      info = next;
    },
    close: () => lock.release(),
  };
}

function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function describeSetup({ version, device, threads, ranks = 1 }: RunSetup) {
  return { version, device, threads, ranks, node: process.version, platform: `${os.platform()} ${os.arch()}` };
}

/** A run as seen from outside. */
export interface RunSummary {
  readonly paths: RunPaths;
  /** undefined when `run.json` is damaged. */
  readonly info: RunInfo | undefined;
  /** What `run.json` says, except that a run whose process is gone is not running: it was `interrupted`. */
  readonly state: RunState | 'interrupted' | 'damaged';
  /** The process that works there now. */
  readonly owner: LockOwner | undefined;
  /** Why it is damaged or not for this version to touch, and what to do then; '' when it is sound. */
  readonly problem: string;
  readonly hint: string;
  /** Of event files of another program, which has no run.json to say them. */
  readonly times?: { readonly createdAt: string | null; readonly updatedAt: string | null };
}

/** Looks at a run without locking it. Throws UserError('data') when it is not a run folder. */
export function readRun(folder: string): RunSummary {
  const paths = runPaths(path.resolve(folder));
  if (isEventFolder(paths.folder)) return eventSummary(paths);
  requireRun(paths);
  let owner: LockOwner | undefined;
  try {
    owner = readLock(paths.folder);
    const info = readInfo(paths);
    const abandoned = !owner && ['queued', 'running', 'paused'].includes(info.state);
    return { paths, info, state: abandoned ? 'interrupted' : info.state, owner, problem: '', hint: '' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { paths, info: undefined, state: 'damaged', owner, problem: error.message, hint: error.hint };
  }
}

/** What another program writes is looked at, and neither stopped nor resumed. */
function eventSummary(paths: RunPaths): RunSummary {
  const { folder } = paths;
  const times = eventFolderTimes(folder);
  return {
    ...{ paths: { ...paths, events: folder }, info: undefined, state: times.goesOn ? 'running' : 'finished' },
    ...{ owner: undefined, times },
    problem: `${folder} holds event files of another program, which can be looked at only`,
    hint: 'Open it in the monitor, or see `dmd doctor`.',
  };
}

/** The runs in a folder, the newest first; other folders in it are left out. [] when the folder does not exist. */
export function listRuns(root: string): RunSummary[] {
  const folders = listFolder(root).map((name) => path.join(root, name));
  const isRun = (folder: string) => fs.existsSync(runPaths(folder).info) || isEventFolder(folder);
  const runs = folders.filter(isRun).map(readRun);
  const age = (run: RunSummary) => run.info?.createdAt ?? run.times?.createdAt ?? '';
  return runs.sort((a, b) => age(b).localeCompare(age(a)) || b.paths.folder.localeCompare(a.paths.folder));
}

/** The resolved config of a run. */
export function readConfig(paths: RunPaths): Config {
  return parseConfig(readOwnText(paths.folder, configName, 'config'), paths.config);
}

function readInfo(paths: RunPaths): RunInfo {
  return parseRunInfo(readOwnText(paths.folder, infoName, 'record'), paths.info);
}

/** Whether it is a folder, and no link to one. */
function isOwnFolder(folder: string): boolean {
  return onDisk('read', folder, () => fs.lstatSync(folder).isDirectory());
}

function requireRun(paths: RunPaths): void {
  if (fs.existsSync(paths.info)) return;
  const hint = 'Name the folder of a run; `dmd runs` lists them.';
  throw new UserError('data', `${paths.folder} is not a run folder: it has no ${infoName}`, hint);
}
