/**
 * A run from its first to its last iteration: opens the folder, trains, records, checkpoints, and says what happens.
 *
 * Every way out leaves the folder in order: finished, stopped with a checkpoint, or failed with the reason in run.json
 * and the checkpoints before it intact. What a kill -9 leaves is found by the next process that resumes.
 */

import { describeError } from '../../files/describe-error.ts';
import { type Disk, realDisk, systemErrorWords } from '../../files/disk.ts';
import type { Config } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { runRequests } from '../../protocol/run-requests.ts';
import { alone, type Ranks } from '../../ranks/ranks.ts';
import type { TrainingSession } from '../../training/session.ts';
import { shareState } from '../../training/share-state.ts';
import { loadLatest } from '../checkpoints/checkpoints.ts';
import { recordedBefore } from '../events/recorded-numbers.ts';
import type { RunControl } from './control.ts';
import { GpuUse } from './gpu-use.ts';
import { RunHealth } from './health.ts';
import { TrainingLoop } from './loop.ts';
import { NumericError } from './numeric-stop.ts';
import { type Opened, open, type RunRequest } from './open.ts';
import { Quality } from './quality.ts';
import { Recorder } from './recorder.ts';
import { adoptChange } from './settings-change.ts';
import { type Begun, compareInputs, greet } from './together.ts';
import { resumeCommand } from './way-on.ts';

type Report = (message: RunMessage) => void;

/**
 * Runs to the end or until stopped. Never throws: the last message is `ended` or `failed`.
 * @param disk what checkpoints and event files are written with
 * @param ranks who trains with this process, which leads them
 */
export async function trainingRun(
  request: RunRequest,
  control: RunControl,
  report: Report,
  disk: Disk = realDisk,
  ranks: Ranks = alone,
): Promise<void> {
  let folder: string | null = null;
  if (request.pace) control.setPace(request.pace.perSecond);
  if (typeof request.pace?.iterations === 'number') control.advance(request.pace.iterations);
  try {
    refuseDebugging(request, ranks);
    await greet(ranks, request);
    const opened = await open(request, { signal: control.signal, report }, ranks);
    folder = opened.run.paths.folder;
    try {
      await work(opened, request, { control, report, disk, ranks });
    } catch (error) {
      const told = opened.run.lock.folderGone() ?? withWayOn(opened, error);
      noteFailure(opened, told);
      throw told;
    } finally {
      opened.run.close();
      await opened.engine.dispose();
    }
  } catch (error) {
    await ranks.fail(error);
    report({ type: 'failed', folder, error: describeError(error) });
  } finally {
    await ranks.close();
    control.desk.close(new UserError('cancelled', 'the run ended before it could answer'));
  }
}

interface Surroundings {
  readonly control: RunControl;
  readonly report: Report;
  readonly disk: Disk;
  readonly ranks: Ranks;
}

/** Only the leader would stand still, and only its share of the batch could be changed. */
function refuseDebugging({ debug }: RunRequest, { size }: Ranks): void {
  if (!debug || size === 1) return;
  throw new UserError('usage', 'a run of several ranks cannot be debugged', 'Start it as one process.');
}

async function work(
  opened: Opened,
  request: RunRequest,
  { control, report, disk, ranks }: Surroundings,
): Promise<void> {
  const { run, engine, why, threads, resumed } = opened;
  let { config, checkpoint, plan, inputs } = opened;
  const { folder } = run.paths;
  let step = checkpoint?.step ?? 0;
  const { device } = run.info();
  const restartAt = resumed ? step + 1 : null;
  const { probes: probe = false } = plan;
  const { kind, iterations } = config;
  report({ type: 'opened', folder, kind, device, why, threads, step, iterations, restartAt, probe });
  for (const text of opened.warnings) report({ type: 'note', level: 'warning', text });
  const startedAt = run.info().startedAt ?? new Date().toISOString();
  const at = new Date().toISOString();
  run.update({
    ...{ state: 'running', startedAt, iterations, step },
    inputs: { ...run.info().inputs, ...inputs },
    changes: [...run.info().changes, ...opened.changes.map((change) => ({ step, at, ...change }))],
    settings: [
      ...run.info().settings,
      ...(resumed && request.set.length > 0 ? [{ step, at, set: [...request.set] }] : []),
    ],
  });

  // Before the recorder begins a file of its own, and takes back what this process will record anew.
  const before =
    restartAt === null || config.kind !== 'distill' ? undefined : recordedBefore(run.paths.events, restartAt);
  const recorder: Recorder = new Recorder(run.paths, {
    budgetBytes: plan.fieldBytes,
    pictureText: { Run: run.info().name, Seed: String(config.seed) },
    ...(restartAt === null ? {} : { restartAt }),
    ...{ disk, report },
    onScalars: (at, scalars) => health.add(at, scalars),
  });
  const health = new RunHealth({ before, add: (at, summary) => recorder.add(at, summary), report });
  recorder.add(step, configText(config));
  const gpuUse = (await engine.capabilities()).onHost ? null : new GpuUse();
  let session: TrainingSession | undefined;
  let quality: Quality | null = null;
  try {
    for (let goesOn = false; ; goesOn = true) {
      await ranks.tell(JSON.stringify({ config, folder, device } satisfies Begun));
      await compareInputs(ranks, inputs);
      session = await plan.start({ engine, folder, recorder, signal: control.signal, report, ranks });
      if (checkpoint) await session.trainer.restore(checkpoint.step, checkpoint.files);
      await shareState(ranks, session.trainer);
      quality = ranks.rank === 0 ? Quality.of(config, engine, session, report) : null;
      const loop = new TrainingLoop({
        awaitsDebugger: !goesOn && request.debug === true,
        ...{
          run,
          config,
          session,
          engine,
          recorder,
          health,
          quality,
          gpuUse,
          control,
          report,
          disk,
          inputs,
          goesOn,
          ranks,
        },
        restored: checkpoint && { step, path: checkpoint.path },
        until: Math.min(config.iterations, request.until ?? config.iterations),
      });
      const change = await loop.run();
      if (!change) break;
      // As at a resume, but that the process stays.
      control.desk.forgetHandlers();
      step = session.trainer.step;
      await quality?.dispose();
      quality = null;
      await session.dispose();
      session = undefined;
      adoptChange(run, change, step);
      ({ config, plan, inputs } = change);
      ({ checkpoint } = await loadLatest(run.paths.checkpoints));
      recorder.budgetBytes = plan.fieldBytes;
      recorder.add(step, configText(config));
      const { set } = change;
      report({ type: 'changed', step, iterations: config.iterations, probe: plan.probes ?? false, set: [...set] });
    }
    const { iterations } = config;
    const done = session.trainer.step;
    const finished = done >= iterations;
    const files = finished ? await session.writeWeights(folder, request.half) : [];
    const state = finished ? 'finished' : 'stopped';
    run.update({ state, step: done, endedAt: new Date().toISOString() });
    report({ type: 'ended', state, folder, step: done, iterations, files });
  } catch (error) {
    if (!isCancelled(error) || !control.stopping) throw error;
    // Work before the first iteration was broken off; it is taken up again where it was.
    run.update({ state: 'stopped', endedAt: new Date().toISOString() });
    control.desk.handle(runRequests.stop, () => ({ step, path: checkpoint?.path ?? null }));
    await control.desk.answer();
    report({ type: 'ended', state: 'stopped', folder, step, iterations: config.iterations, files: [] });
  } finally {
    recorder.close();
    gpuUse?.dispose();
    await quality?.dispose();
    await session?.dispose();
  }
}

const configText = (config: Config) => ({
  texts: { config: `\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\`` },
});

function isCancelled(error: unknown): boolean {
  return error instanceof UserError && error.kind === 'cancelled';
}

/** What the disk or the data refuse ends a run, not its past: the error says also how to go on once that is mended. */
function withWayOn({ run, config }: Opened, thrown: unknown): unknown {
  const error = systemErrorWords(thrown);
  if (!(error instanceof UserError) || (error.kind !== 'io' && error.kind !== 'data')) return error;
  const way = `Then go on from the last checkpoint: ${resumeCommand(config.kind, run.paths.folder)}`;
  return new UserError(error.kind, error.message, error.hint ? `${error.hint} ${way}` : way, { cause: error });
}

/** Says in run.json why the run ended. */
function noteFailure({ run }: Opened, error: unknown): void {
  const { message, hint } = describeError(error);
  const fields = error instanceof NumericError ? { fields: error.fields } : {};
  try {
    run.update({ state: 'failed', endedAt: new Date().toISOString(), error: { message, hint, ...fields } });
  } catch {
    // The disk refuses even that, or the lock is lost: the first error is the one to show.
  }
}
