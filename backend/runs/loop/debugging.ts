/** The debugger of a run: what it knows of the run, and what going back to a checkpoint means here. */
import { Debugger } from '../../debug/debugger.ts';
import type { DebugHost } from '../../debug/host.ts';
import { answerDebugging } from '../../debug/requests.ts';
import type { Rule } from '../../debug/rules.ts';
import type { Engine } from '../../engine/engine.ts';
import { ruleNames, ruleTitle } from '../../health/evaluate.ts';
import { type Config, commandOfKind } from '../../protocol/config/index.ts';
import { debugRequests } from '../../protocol/debug-requests.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import type { Ranks } from '../../ranks/ranks.ts';
import type { TrainingSession } from '../../training/session.ts';
import { listCheckpoints, loadStep, removeCheckpointsAfter } from '../checkpoints/checkpoints.ts';
import { recordedBefore } from '../events/recorded-numbers.ts';
import type { OpenRun } from '../folder/run-folder.ts';
import { listingOf } from '../listing.ts';
import type { RunControl } from './control.ts';
import type { RunHealth } from './health.ts';
import type { Recorder } from './recorder.ts';

export interface DebuggingParts {
  readonly run: OpenRun;
  readonly config: Config;
  readonly session: TrainingSession;
  readonly engine: Engine;
  readonly recorder: Recorder;
  readonly health: RunHealth;
  readonly control: RunControl;
  readonly report: (message: RunMessage) => void;
  /** Led by this process; one alone unless given. */
  readonly ranks?: Ranks;
}

/** @param wait stays while the debugger stands; false: the iteration is to be given up */
export function runDebugger(parts: DebuggingParts, wait: () => Promise<boolean>): Debugger {
  const host = hostOf(parts, wait);
  const debug = new Debugger(host);
  if ((parts.ranks?.size ?? 1) > 1) refuse(parts);
  else
    answerDebugging(host, debug, (definition, answer) =>
      parts.control.desk.handle(definition, answer, { atOnce: true }),
    );
  return debug;
}

/** Only the leader would stand still, and only its share of a batch could be changed. */
function refuse({ control, config, run }: DebuggingParts): void {
  control.desk.handle(debugRequests['debug/attach'], () => {
    const hint = `Stop it, and resume it as one process: dmd ${commandOfKind(config.kind)} --resume ${run.paths.folder}`;
    throw new UserError('usage', 'a run of several ranks cannot be debugged', hint);
  });
}

/**
 * To an earlier checkpoint's state: what was recorded and saved since is given up, as when a run is resumed from it.
 * @returns the checkpoint; undefined when it cannot be read, and the run stays where it is. Throws UserError
 */
export async function goBack(
  { run, config, session, recorder, health, report }: DebuggingParts,
  step: number,
): Promise<{ step: number; path: string } | undefined> {
  const { checkpoint, warnings } = await loadStep(run.paths.checkpoints, step);
  for (const text of warnings) report({ type: 'note', level: 'warning', text });
  if (!checkpoint) {
    const text = `the run stays where it is: its checkpoint of step ${step} cannot be read`;
    report({ type: 'note', level: 'warning', text });
    return undefined;
  }
  await session.trainer.restore(checkpoint.step, checkpoint.files);
  health.restart(config.kind === 'distill' ? recordedBefore(run.paths.events, step + 1) : undefined);
  recorder.restart(step + 1);
  removeCheckpointsAfter(run.paths.checkpoints, step);
  run.update({ step });
  report({ type: 'note', level: 'info', text: `the run went back to its checkpoint of step ${step}` });
  return { step, path: checkpoint.path };
}

function hostOf(
  { run, config, session, engine, health, control, report }: DebuggingParts,
  wait: () => Promise<boolean>,
): DebugHost {
  const { trainer } = session;
  return {
    ...{ engine, trainer, iterations: config.iterations, listing: listingOf(config), rules: healthRules(health), wait },
    tags: (scalars) => session.scalars({ step: trainer.step + 1, scalars }),
    wake: () => control.wake(),
    note: (level, text) => report({ type: 'note', level, text }),
    intervened(step, text) {
      const { interventions } = run.info();
      const last = interventions.at(-1);
      if (last?.step === step && last.text === text) return;
      run.update({ interventions: [...interventions, { step, at: new Date().toISOString(), text }] });
    },
    checkpoints: () => [...new Set(listCheckpoints(run.paths.checkpoints).map((entry) => entry.step))],
  };
}

/** Stops once when a verdict is there, and again when it becomes graver or comes back: at the iteration after. */
function healthRules(health: RunHealth): Rule[] {
  return ruleNames.map((name) => {
    let told: string | undefined;
    return {
      ...{ rule: name, label: ruleTitle(name), default: false },
      description: 'A rule of health, judged by what the run has recorded.',
      check() {
        const verdict = health.verdicts.find(({ rule }) => rule === name);
        const before = told;
        told = verdict?.severity;
        return verdict && verdict.severity !== before ? `${verdict.severity}: ${verdict.statement}` : null;
      },
    };
  });
}
