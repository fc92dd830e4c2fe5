/** A change of a run's config while it works: what a resume with the same changes would do, without its process ending. */
import type { Inputs, InputWork } from '../../models/input-file.ts';
import { applyOverrides, type Config } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { SessionPlan } from '../../training/session.ts';
import { resolvePaths } from '../config-file.ts';
import type { OpenRun } from '../folder/run-folder.ts';
import { checkChanges, checkInputs, type InputChange } from './changes.ts';
import { planOf } from './open.ts';
import { resumeCommand } from './way-on.ts';

export interface SettingsChange {
  readonly set: readonly string[];
  readonly config: Config;
  readonly plan: SessionPlan;
  readonly inputs: Inputs;
  readonly changes: readonly InputChange[];
}

/** What belongs to the process rather than to its training. */
const fixed = ['device', 'threads', 'launch', 'out', 'name'] as const;

/**
 * Opens and checks everything that the changed config names; the run is not touched.
 * @param set `key.of.it=value`
 * @throws UserError: what the run would refuse at a resume, and what only a new process can have
 */
export async function planChange(run: OpenRun, set: readonly string[], work: InputWork): Promise<SettingsChange> {
  const before = run.config();
  const config = resolvePaths(applyOverrides(before, set), process.cwd(), before);
  checkChanges(before, config);
  const key = fixed.find((name) => JSON.stringify(before[name]) !== JSON.stringify(config[name]));
  if (key !== undefined) {
    const hint = `Stop the run and resume it: ${resumeCommand(config.kind, run.paths.folder, '--set', '...')}`;
    throw new UserError('config', `${key} cannot change while the run works`, hint);
  }
  const plan = await planOf(config, work);
  try {
    const inputs = await plan.inputs(work);
    const changes = checkInputs(run.info().inputs, inputs, { folder: run.paths.folder, config, set });
    return { set, config, plan, inputs, changes };
  } catch (error) {
    await plan.dispose?.();
    throw error;
  }
}

/** From now on the run has it, after iteration `step`. */
export function adoptChange(run: OpenRun, { set, config, inputs, changes }: SettingsChange, step: number): void {
  const at = new Date().toISOString();
  const info = run.info();
  run.changeConfig(config, step);
  run.update({
    iterations: config.iterations,
    inputs: { ...info.inputs, ...inputs },
    changes: [...info.changes, ...changes.map((change) => ({ step, at, ...change }))],
    settings: [...info.settings, { step, at, set: [...set] }],
  });
}
