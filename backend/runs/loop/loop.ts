/** The iterations of a run: one after the other, with what happens between them. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Debugger } from '../../debug/debugger.ts';
import { IterationAgain } from '../../debug/errors.ts';
import { describeError } from '../../files/describe-error.ts';
import type { Disk } from '../../files/disk.ts';
import type { Inputs } from '../../models/input-file.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunMessageOf } from '../../protocol/run-messages.ts';
import { runRequests } from '../../protocol/run-requests.ts';
import { alone, type Ranks, RanksFailed } from '../../ranks/ranks.ts';
import { words } from '../../ranks/words.ts';
import { IterationDropped } from '../../training/iteration.ts';
import { NumericStop, type Scalars } from '../../training/trainer.ts';
import { pruneCheckpoints, saveCheckpoint } from '../checkpoints/checkpoints.ts';
import { answerFromState } from './answers.ts';
import { type DebuggingParts, goBack, runDebugger } from './debugging.ts';
import { deviceStop } from './device-stop.ts';
import type { GpuUse } from './gpu-use.ts';
import { numericError } from './numeric-stop.ts';
import type { Quality } from './quality.ts';
import { planChange, type SettingsChange } from './settings-change.ts';
import { rankScalars } from './together.ts';

/** A checkpoint on the disk. */
export interface Saved {
  readonly step: number;
  readonly path: string;
}

export interface LoopParts extends DebuggingParts {
  /** Null where none is measured. */
  readonly quality: Quality | null;
  /** Null on a device that is no graphics card. */
  readonly gpuUse: GpuUse | null;
  /** The checkpoint that was restored; undefined when the run begins. */
  readonly restored: Saved | undefined;
  /** Whether an earlier loop of this process recorded the state that it begins with. */
  readonly goesOn: boolean;
  /** Ends after this iteration at the latest. */
  readonly until: number;
  readonly disk: Disk;
  /** Noted in every checkpoint. */
  readonly inputs: Inputs;
  /** Waits for a debugger before the first iteration. */
  readonly awaitsDebugger: boolean;
}

/** How often a long iteration says how far it is. */
const millisecondsBetweenProgress = 1000;

/** How often run.json says which step the run is at, besides at checkpoints. */
const secondsBetweenNotes = 10;

/** How long a run that was started for a debugger waits for it. */
const secondsForDebugger = 60;

export class TrainingLoop {
  readonly #parts: LoopParts;
  readonly #debugger: Debugger;
  #saved: Saved | undefined;
  #told: RunMessageOf<'state'>['state'] = 'running';
  #notedAt = performance.now();
  /** When a person last heard of the iteration. */
  #saidAt = 0;
  #begunAt = Number.NEGATIVE_INFINITY;
  #change: SettingsChange | null = null;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#saved = parts.restored;
    this.#debugger = runDebugger(parts, async () => (await this.answer()) && !this.#change);
    this.#answerRequests();
  }

  /**
   * Until the last iteration is done or a stop is asked for; ends with a checkpoint. Throws UserError.
   * @returns what the run is to go on with, where its settings change
   */
  async run(): Promise<SettingsChange | null> {
    try {
      return await this.#run();
    } finally {
      this.#debugger.close(this.#change ? "the run's settings changed: attach again" : 'the run has ended');
    }
  }

  async #run(): Promise<SettingsChange | null> {
    const { session, control, recorder, until, goesOn, awaitsDebugger } = this.#parts;
    const { trainer } = session;
    if (trainer.step === 0 && !goesOn) {
      await session.record(0);
      recorder.add(0, { scalars: await this.#quality(0) });
    }
    if (awaitsDebugger && trainer.step < until) await this.#debugger.awaitDebugger(secondsForDebugger);
    for (;;) {
      await turn(); // requests arrive now
      if (!(await this.answer()) || this.#change || trainer.step >= until) break;
      if (!(await control.paced(this.#begunAt))) continue;
      this.#begunAt = performance.now();
      if (!(await this.#iterate().catch((error: unknown) => this.#keepProgress(error)))) break;
    }
    if (control.stopping) this.#tell('stopping');
    await this.#checkpoint();
    recorder.sync();
    await this.#dismiss();
    return control.stopping ? null : this.#change;
  }

  /** The other ranks hear how it goes on. */
  async #dismiss(): Promise<void> {
    const goesOn = this.#change && !this.#parts.control.stopping;
    try {
      await this.#ranks.agree(goesOn ? words.change : words.end);
    } catch (error) {
      // Whoever is lost needs no word, and what is to be kept is kept.
      if (!(error instanceof RanksFailed && error.lost) || goesOn) throw error;
    }
  }

  get #ranks(): Ranks {
    return this.#parts.ranks ?? alone;
  }

  /** Data, a disk or a device that fail leave the state of the last step whole: it is saved, if it can be, before the run ends. */
  async #keepProgress(error: unknown): Promise<never> {
    if (['data', 'weights', 'io', 'device'].includes(describeError(error).kind)) {
      try {
        await this.#checkpoint();
      } catch {
        // The first error is the one to show.
      }
    }
    if (error instanceof UserError && error.kind === 'device') {
      const { run, config } = this.#parts;
      throw deviceStop(error, { folder: run.paths.folder, kind: config.kind, saved: this.#saved?.step });
    }
    throw error;
  }

  /** @returns false when the iteration was given up for a stop */
  async #iterate(): Promise<boolean> {
    const { config, session, recorder, health, report, run, control, gpuUse } = this.#parts;
    run.lock.renew();
    await this.#ranks.agree(words.iterate);
    this.#ranks.takeWaited();
    const [start, used] = [performance.now(), process.cpuUsage()];
    const result = await this.#advance();
    if (!result) return false;
    if (result === 'again') return true;
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(used);
    const { step } = result;
    const scalars: Scalars = {
      ...session.scalars(result),
      'speed/images per second': session.trainer.imagesPerStep / seconds,
      'speed/processors in use': (user + system) / 1e6 / seconds,
      'memory/resident MB': process.memoryUsage.rss() / 1e6,
      ...gpuUse?.scalars(),
      ...(await rankScalars(this.#ranks, seconds, session.trainer.imagesPerStep)),
    };
    this.#debugger.done(step, scalars);
    recorder.add(step, { scalars });
    await session.record(step);
    const quality = await this.#quality(step);
    recorder.add(step, { scalars: quality });
    health.step(step);
    const { iterations } = config;
    report({ type: 'step', step, iterations, time: Date.now() / 1000, scalars: { ...scalars, ...quality } });
    control.iterated();
    if (control.probing) await this.#probe();
    if (config.checkpoint.every > 0 && step % config.checkpoint.every === 0) await this.#checkpoint();
    else this.#note();
    return true;
  }

  /** Stopped, or to go on with other settings, the run does not wait for it. */
  async #quality(step: number): Promise<Scalars> {
    const { quality, config } = this.#parts;
    const goesOn = async () => {
      await turn();
      return (await this.answer()) && !this.#change;
    };
    return (await quality?.measure(step, config.iterations, goesOn)) ?? {};
  }

  /**
   * Between two micro-batches of an iteration, which commits nothing before its end: a stop gives it up, a pause waits here, and
   * whatever is asked for is answered from the state before it.
   */
  async #between(step: number, done: number, total: number): Promise<void> {
    if (done === 0) return;
    await turn();
    const goesOn = (await this.answer()) && !this.#change;
    await this.#ranks.agree(goesOn ? words.goOn : words.drop);
    if (!goesOn) throw new IterationDropped(step);
    if (performance.now() - this.#saidAt < millisecondsBetweenProgress) return;
    this.#saidAt = performance.now();
    this.#parts.report({ type: 'work', label: `iteration ${step}`, done, total, unit: 'micro-batches' });
  }

  /**
   * Does and answers what was asked since the last call, and stays here while the run is paused. Called between two iterations
   * and between two micro-batches: the state is then that of `trainer.step`, whole.
   * @returns whether to go on; false when the run is to end
   */
  async answer(): Promise<boolean> {
    const { control } = this.#parts;
    for (;;) {
      await control.desk.answer();
      if (control.takeProbeRequest()) await this.#probe();
      if (control.stopping) return false;
      if (this.#change) return true;
      const stays = control.paused || this.#debugger.standing;
      // Between two steps of a debugger it is not said to run.
      if (stays || !this.#debugger.moves.isStep) this.#tell(stays ? 'paused' : 'running');
      if (!stays) return true;
      await control.news();
    }
  }

  #answerRequests(): void {
    const { session, control, run, report } = this.#parts;
    const { desk } = control;
    const { trainer } = session;
    desk.handle(runRequests.pause, () => {
      if (!control.paused) throw new UserError('cancelled', 'the run was told to go on before it stood still');
      this.#tell('paused');
      return { step: trainer.step };
    });
    desk.handle(runRequests.resume, () => {
      this.#debugger.resume();
      if (!control.paused && !control.stopping) this.#tell('running');
      return { step: trainer.step };
    });
    desk.handle(runRequests.checkpoint, () => this.#checkpointAsked());
    desk.handle(runRequests.stop, () => {
      this.#tell('stopping');
      return this.#checkpointAsked();
    });
    desk.handle(runRequests.change, async ({ set }, signal) => {
      const before = this.#change;
      this.#change = await planChange(run, [...(before?.set ?? []), ...set], { signal, report });
      await before?.plan.dispose?.();
      return { step: trainer.step };
    });
    answerFromState(control, session);
  }

  /** Shows the probe as it is now. The run goes on without it when that fails. */
  async #probe(): Promise<void> {
    const { session, control, report } = this.#parts;
    control.takeProbeRequest();
    try {
      if (session.readProbe) report(await session.readProbe(session.trainer.step));
    } catch (error) {
      control.probe(false);
      const { message } = describeError(error);
      report({ type: 'note', level: 'warning', text: `the live probe is off, since it failed: ${message}` });
    }
  }

  async #advance() {
    const { session, run, recorder, health, control } = this.#parts;
    this.#saidAt = performance.now();
    const debug = this.#debugger;
    const watch = {
      onMicro: (...at: [number, number, number]) => this.#between(...at),
      // It comes and goes while an iteration is under way.
      get onStage() {
        return debug.onStage;
      },
      get onCommit() {
        return debug.onCommit;
      },
    };
    try {
      await debug.enter(session.trainer.step + 1);
      return await session.trainer.advance(watch);
    } catch (error) {
      if (error instanceof IterationDropped) return null;
      // Told to end, and others do not come any more: as when the iteration is given up.
      if (error instanceof RanksFailed && error.lost && control.stopping) return null;
      if (error instanceof IterationAgain) {
        if (error.checkpoint !== null) await this.#goBack(error.checkpoint);
        return 'again';
      }
      if (!(error instanceof NumericStop)) throw error;
      const scalars = session.scalars({ step: error.step, scalars: error.scalars });
      const bad = Object.entries(scalars).filter(([, value]) => !Number.isFinite(value));
      recorder.add(error.step, { scalars: Object.fromEntries(bad) });
      health.look(error.step);
      const { path } = recorder.fields(error.step, 'stop', error.tensors, { scalars: describe(scalars) });
      await this.#checkpoint();
      throw numericError(error.step, scalars, {
        tensors: path,
        folder: run.paths.folder,
        kind: this.#parts.config.kind,
      });
    }
  }

  async #goBack(step: number): Promise<void> {
    const saved = await goBack(this.#parts, step);
    if (!saved) return;
    this.#saved = saved;
    this.#debugger.wentBack(step);
  }

  /** A disk that refuses what somebody asked for does not end the run. */
  async #checkpointAsked(): Promise<Saved> {
    try {
      return await this.#checkpoint();
    } catch (error) {
      const { message } = describeError(error);
      this.#parts.report({
        type: 'note',
        level: 'warning',
        text: `the checkpoint that was asked for failed: ${message}`,
      });
      throw error;
    }
  }

  /** Saves the state unless this very state is saved already. */
  async #checkpoint(): Promise<Saved> {
    const { run, config, session, recorder, report, disk, inputs } = this.#parts;
    const { step } = session.trainer;
    if (this.#saved?.step === step) return this.#saved;
    run.lock.renew();
    const files = await session.trainer.save();
    const { checkpoints } = run.paths;
    const json = { kind: config.kind, step, seed: config.seed, inputs };
    const path = await saveCheckpoint(checkpoints, step, { files, json }, disk);
    this.#saved = { step, path };
    pruneCheckpoints(checkpoints, config.checkpoint);
    recorder.sync();
    run.update({ step });
    report({ type: 'checkpoint', step, path });
    return this.#saved;
  }

  /** Says once how the run stands, and notes it in run.json. */
  #tell(state: RunMessageOf<'state'>['state']): void {
    if (state === this.#told) return;
    this.#told = state;
    const { run, report, session } = this.#parts;
    if (state !== 'stopping') run.update({ state, step: session.trainer.step });
    report({ type: 'state', state });
  }

  #note(): void {
    const { run, session } = this.#parts;
    if (performance.now() - this.#notedAt < secondsBetweenNotes * 1000) return;
    this.#notedAt = performance.now();
    run.update({ step: session.trainer.step });
  }
}

/** JSON has no NaN. */
function describe(scalars: Scalars): string {
  return JSON.stringify(scalars, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}
