/**
 * From what was asked for to a locked run folder: the config with its changes, the device, and everything the config
 * names loaded and checked before anything is written.
 */
import { openEngine } from '../../engine/devices.ts';
import type { Engine } from '../../engine/engine.ts';
import { packageVersion } from '../../files/package.ts';
import { methodOf } from '../../methods/index.ts';
import type { Inputs, InputWork } from '../../models/input-file.ts';
import { applyOverrides, type Config } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Pace } from '../../protocol/rpc/runs.ts';
import type { Launched } from '../../ranks/launched.ts';
import { alone, type Ranks } from '../../ranks/ranks.ts';
import { threadsOf } from '../../ranks/threads.ts';
import { planTeachAutoencoder } from '../../teach/teach-autoencoder-session.ts';
import { planTeach } from '../../teach/teach-session.ts';
import { planTeachTextEncoder } from '../../teach/teach-text-encoder-session.ts';
import { planTeachText } from '../../teach/teach-text-session.ts';
import type { SessionPlan } from '../../training/session.ts';
import { type Checkpoint, loadLatest, refuseLaterCheckpoints } from '../checkpoints/checkpoints.ts';
import { resolvePaths } from '../config-file.ts';
import type { LockOptions } from '../folder/lock.ts';
import { refuseForeignParts } from '../folder/own-parts.ts';
import { createRun, type OpenRun, readConfig, readRun, resumeRun } from '../folder/run-folder.ts';
import { checkChanges, checkInputs, describeChange, type InputChange } from './changes.ts';

/** What to run: a new run of a config, or the run in a folder from its latest sound checkpoint on. */
export interface RunRequest {
  readonly start: { readonly config: Config; readonly root: string } | { readonly folder: string };
  /** Changes of the config, `key.of.it=value`. */
  readonly set: readonly string[];
  /** Final weights in float16. */
  readonly half: boolean;
  /** Stop after this iteration, as when asked to; left out, go on to the end. */
  readonly until?: number;
  /** Wait for a debugger before the first iteration. */
  readonly debug?: boolean;
  /** From the first iteration on; left out, as fast as it can and to the end. */
  readonly pace?: Pace | undefined;
  /** What started this process as one of several ranks; left out, nothing did. */
  readonly launched?: Launched;
  /** Where other processes reach this one, noted in the run's lock; left out, nowhere. */
  readonly contact?: string;
}

export interface Opened {
  readonly run: OpenRun;
  readonly config: Config;
  readonly engine: Engine;
  readonly plan: SessionPlan;
  /** Why this device. */
  readonly why: string;
  readonly threads: number;
  /** Where to go on from; undefined to begin at the beginning. */
  readonly checkpoint: Checkpoint | undefined;
  readonly resumed: boolean;
  /** What every iteration depends on, and what of it is another one from now on. */
  readonly inputs: Inputs;
  readonly changes: readonly InputChange[];
  readonly warnings: readonly string[];
}

/** @throws UserError of every kind; the run's lock is then not held and nothing stays open */
export async function open(
  { start, set, contact = '' }: RunRequest,
  work: InputWork = {},
  ranks: Ranks = alone,
): Promise<Opened> {
  const how = { set, lock: { contact }, work, threads: threadsOf(ranks), ranks: ranks.size };
  return 'folder' in start ? reopen(start.folder, how) : begin(start.config, start.root, how);
}

interface How {
  readonly set: readonly string[];
  readonly lock: LockOptions;
  readonly work: InputWork;
  /** Where the config does not say. */
  readonly threads: number;
  readonly ranks: number;
}

async function begin(asked: Config, root: string, { set, lock, work, threads: own, ranks }: How): Promise<Opened> {
  const config = resolvePaths(applyOverrides(asked, set), process.cwd());
  const device = await openDevice(config.device, config.threads || own);
  return planned(device.engine, config, work, async (plan) => {
    const inputs = await plan.inputs(work);
    const { name, engine, why, threads } = device;
    const run = createRun(root, config, { version: packageVersion(), device: name, threads, ranks }, lock);
    const none = { checkpoint: undefined, resumed: false, changes: [], warnings: [] };
    return { run, config, engine, plan, why, threads, inputs, ...none };
  });
}

async function reopen(folder: string, { set, lock, work, threads: own, ranks }: How): Promise<Opened> {
  const before = readRun(folder);
  const { info } = before;
  if (info === undefined) throw new UserError('data', before.problem, before.hint);
  refuseForeignParts(before.paths.folder);
  refuseLaterCheckpoints(before.paths.checkpoints);
  const old = readConfig(before.paths);
  const config = resolvePaths(applyOverrides(old, set), process.cwd(), old);
  checkChanges(old, config);
  // auto stays what it was: another device does not give the same numbers.
  const wanted = config.device === 'auto' ? info.device : config.device;
  const device = await openDevice(wanted, config.threads || (info.ranks === ranks ? info.threads : own));
  return planned(device.engine, config, work, async (plan) => {
    const inputs = await plan.inputs(work);
    const { name, engine, why, threads } = device;
    const setup = { version: packageVersion(), device: name, threads, ranks };
    const run = resumeRun(folder, setup, lock);
    try {
      const { checkpoint, warnings } = await loadLatest(run.paths.checkpoints);
      // What a resume accepted counts from then on, even if it came to no checkpoint.
      const known = { ...inputsOf(checkpoint), ...run.info().inputs };
      const changes = checkInputs(known, inputs, { folder: run.paths.folder, config, set });
      if (set.length > 0) run.changeConfig(config, checkpoint?.step ?? 0);
      const changed = differences(info, { ...setup, node: process.version });
      return {
        run,
        config,
        engine,
        plan,
        why,
        threads,
        checkpoint,
        resumed: true,
        inputs,
        changes,
        warnings: [...warnings, ...changed, ...changes.map(describeChange)],
      };
    } catch (error) {
      run.close();
      throw error;
    }
  });
}

async function openDevice(wanted: string, threads: number) {
  const { engine, device, why } = await openEngine({ device: wanted, threads });
  return { engine, name: device, why, threads };
}

/** Runs of before run.json had them have them in their checkpoints alone. */
function inputsOf(checkpoint: Checkpoint | undefined): Inputs {
  return (checkpoint?.json as { inputs?: Inputs } | undefined)?.inputs ?? {};
}

/** Opens and checks everything that a config names. Throws UserError; nothing is written. */
export function planOf(config: Config, work: InputWork): Promise<SessionPlan> {
  switch (config.kind) {
    case 'distill':
      return methodOf(config).plan(config, work);
    case 'teach':
      return planTeach(config);
    case 'teach-autoencoder':
      return planTeachAutoencoder(config);
    case 'teach-text-encoder':
      return planTeachTextEncoder(config);
    case 'teach-text':
      return planTeachText(config);
  }
}

/** Opens and checks what a config names. When the work fails nothing stays open. */
async function planned<T>(
  engine: Engine,
  config: Config,
  hashing: InputWork,
  work: (plan: SessionPlan) => Promise<T>,
): Promise<T> {
  let plan: SessionPlan | undefined;
  try {
    plan = await planOf(config, hashing);
    return await work(plan);
  } catch (error) {
    await plan?.dispose?.();
    await engine.dispose();
    throw error;
  }
}

interface Surroundings {
  readonly version: string;
  readonly device: string;
  readonly threads: number;
  readonly ranks: number;
  readonly node: string;
}

/** What is not as it was: the run goes on, but no longer bit for bit. */
function differences(before: Surroundings, now: Surroundings): string[] {
  return (['version', 'device', 'threads', 'ranks', 'node'] as const).flatMap((key) =>
    before[key] === now[key]
      ? []
      : [`${key} was ${before[key]} and is now ${now[key]}: the run goes on, but not bit for bit as it would have`],
  );
}
