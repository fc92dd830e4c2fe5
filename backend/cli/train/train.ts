/** What `dmd distill` and `dmd teach` share: from the command line to a run, and from its messages to the terminal. */
import path from 'node:path';
import { errorFrom } from '../../files/describe-error.ts';
import { type Config, type ConfigKind, commandOfKind } from '../../protocol/config/index.ts';
import { exitCodes, UserError } from '../../protocol/errors.ts';
import { hasStarter } from '../../ranks/launch/starter.ts';
import { launchedRanks } from '../../ranks/launched.ts';
import { readConfigFile } from '../../runs/config-file.ts';
import { startLiveRun } from '../../runs/live/live-run.ts';
import type { RunRequest } from '../../runs/loop/open.ts';
import { presetConfig } from '../../runs/presets.ts';
import { ranksWanted } from '../../runs/ranks-wanted.ts';
import type { CommonOptions, Output } from '../output.ts';
import { follow } from './follow.ts';
import { watchRun } from './watch.ts';

export interface TrainOptions extends CommonOptions {
  readonly preset?: string;
  readonly resume?: string;
  readonly plan?: boolean;
  readonly set?: readonly string[];
  readonly half?: boolean;
  readonly until?: number;
  readonly name?: string;
  readonly seed?: number;
  readonly device?: string;
  readonly threads?: number;
  readonly out?: string;
  readonly iterations?: number;
  readonly batch?: number;
}

export interface TrainCommand {
  readonly kind: ConfigKind;
  /** The config when neither a file nor a preset is named. */
  readonly defaults: () => Config;
  /** Assignments from this command's own options. */
  readonly assignments: readonly string[];
}

/** Trains to the end or until stopped, or only plans. @returns the exit code; throws UserError when the run fails */
export async function train(
  { kind, defaults, assignments }: TrainCommand,
  file: string | undefined,
  options: TrainOptions,
  output: Output,
): Promise<number> {
  const set = changesOf(assignments, options);
  const { half = false, resume, until } = options;
  if (resume !== undefined && (file !== undefined || options.preset !== undefined)) {
    throw new UserError(
      'usage',
      '--resume goes on with the config of the run',
      'Leave the config out; change it with --set.',
    );
  }
  const launched = launchedRanks(process.env);
  if (options.plan) {
    if (launched && launched.rank > 0) return 0;
    if (resume !== undefined) throw new UserError('usage', '--plan is for runs not begun yet', 'Leave --resume out.');
    const { printPlan } = await import('./plan.ts');
    const planned = newRun(kind, defaults, file, options);
    const several = ranksWanted({ start: planned, set }, process.cwd());
    await printPlan(planned.config, set, output, several ?? undefined);
    return 0;
  }
  const start = resume === undefined ? newRun(kind, defaults, file, options) : { folder: path.resolve(resume) };
  const wanted = ranksWanted({ start, set }, process.cwd());
  if (wanted) return (await import('./launch.ts')).launchRanks(wanted, output);
  const ranks = launched ? { launched } : {};
  const request: RunRequest = { start, set, half, ...ranks, ...(until === undefined ? {} : { until }) };
  if (launched && launched.rank > 0) return follow(request);
  const watcher = watchRun(kind, output);
  const run = await startLiveRun(request, (message) => watcher.message(message));
  const signals = watcher.signals(run);
  try {
    await run.ended;
  } finally {
    signals.dispose();
    watcher.end();
  }
  const last = watcher.last();
  if (last?.type !== 'ended' && signals.ended()) {
    output.line(watcher.wayOn());
    return exitCodes.cancelled;
  }
  if (last?.type === 'failed') throw errorFrom(last.error);
  // The starter knows what it asked for, and mpirun takes every code but 0 for a failure.
  if (launched && hasStarter(process.env)) return 0;
  return last?.type === 'ended' && last.state === 'stopped' && watcher.stopped() ? exitCodes.cancelled : 0;
}

/** All that options change of a config. */
export function changesOf(assignments: readonly string[], options: TrainOptions): string[] {
  return [...commonAssignments(options), ...assignments, ...(options.set ?? [])];
}

export function newRun(kind: ConfigKind, defaults: () => Config, file: string | undefined, options: TrainOptions) {
  if (file !== undefined && options.preset !== undefined) {
    throw new UserError('usage', 'a config file and --preset are two configs', 'Name one of them.');
  }
  const config = configOf(kind, defaults, file, options.preset);
  const command = commandOfKind(config.kind);
  if (command !== commandOfKind(kind)) {
    throw new UserError('config', `${file} is of the kind "${config.kind}"`, `Run dmd ${command} with it.`);
  }
  const root = path.resolve(options.out ?? config.out ?? 'runs');
  return { config, root };
}

function configOf(
  kind: ConfigKind,
  defaults: () => Config,
  file: string | undefined,
  preset: string | undefined,
): Config {
  if (preset !== undefined) return presetConfig(kind, preset, process.cwd());
  return file === undefined ? defaults() : readConfigFile(path.resolve(file));
}

function commonAssignments({ name, seed, device, threads, iterations, batch }: TrainOptions): string[] {
  return assignmentsOf({ name, seed, device, threads, iterations, batch });
}

/** `key=value` for every value that was given. */
export function assignmentsOf(values: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${JSON.stringify(value)}`],
  );
}
