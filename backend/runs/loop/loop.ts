/** The iterations of a run: one after the other, with what happens between them. */
import { setImmediate as turn } from 'node:timers/promises';
import { describeError } from '../../files/describe-error.ts';
import type { Disk } from '../../files/disk.ts';
import type { Config } from '../../protocol/config/index.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { IterationDropped } from '../../training/iteration.ts';
import type { SessionPlan, TrainingSession } from '../../training/session.ts';
import { NumericStop, type Scalars } from '../../training/trainer.ts';
import { pruneCheckpoints, saveCheckpoint } from '../checkpoints/checkpoints.ts';
import type { OpenRun } from '../folder/run-folder.ts';
import type { RunControl } from './control.ts';
import type { GpuUse } from './gpu-use.ts';
import { numericError } from './numeric-stop.ts';
import type { Recorder } from './recorder.ts';

export interface LoopParts {
  readonly run: OpenRun;
  readonly config: Config;
  readonly session: TrainingSession;
  readonly recorder: Recorder;
  /** Null on a device that is no graphics card. */
  readonly gpuUse: GpuUse | null;
  readonly control: RunControl;
  readonly report: (message: RunMessage) => void;
  /** The step whose checkpoint was restored; undefined when the run begins. */
  readonly restored: number | undefined;
  /** Ends after this iteration at the latest. */
  readonly until: number;
  readonly disk: Disk;
  /** Noted in every checkpoint. */
  readonly inputs: SessionPlan['inputs'];
}

/** How often a long iteration says how far it is. */
const millisecondsBetweenProgress = 1000;

/** How often run.json says which step the run is at, besides at checkpoints. */
const secondsBetweenNotes = 10;

export class TrainingLoop {
  readonly #parts: LoopParts;
  #saved: number | undefined;
  #notedAt = performance.now();
  /** When a person last heard of the iteration. */
  #saidAt = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#saved = parts.restored;
  }

  /** Until the last iteration is done or a stop is asked for; ends with a checkpoint. Throws UserError. */
  async run(): Promise<void> {
    const { session, control, recorder, until } = this.#parts;
    const { trainer } = session;
    if (trainer.step === 0) await session.record(0);
    for (;;) {
      await turn(); // commands arrive now
      await this.#answer();
      if (control.paused) await this.#pause();
      if (control.stopping || trainer.step >= until) break;
      if (!(await this.#iterate().catch((error: unknown) => this.#keepProgress(error)))) break;
    }
    if (control.stopping) this.#parts.report({ type: 'state', state: 'stopping' });
    await this.#checkpoint();
    recorder.sync();
  }

  /** Data or a disk that fail leave the state of the last step whole: it is saved, if it can be, before the run ends. */
  async #keepProgress(error: unknown): Promise<never> {
    if (['data', 'weights', 'io'].includes(describeError(error).kind)) {
      try {
        await this.#checkpoint();
      } catch {
        // The first error is the one to show.
      }
    }
    throw error;
  }

  /** @returns false when the iteration was given up for a stop */
  async #iterate(): Promise<boolean> {
    const { config, session, recorder, report, run, control, gpuUse } = this.#parts;
    run.lock.renew();
    const [start, used] = [performance.now(), process.cpuUsage()];
    const result = await this.#advance();
    if (!result) return false;
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(used);
    const { step } = result;
    const scalars: Scalars = {
      ...session.scalars(result),
      'speed/images per second': session.trainer.imagesPerStep / seconds,
      'speed/processors in use': (user + system) / 1e6 / seconds,
      'memory/resident MB': process.memoryUsage.rss() / 1e6,
      ...gpuUse?.scalars(),
    };
    recorder.add(step, { scalars });
    await session.record(step);
    report({ type: 'step', step, iterations: config.iterations, time: Date.now() / 1000, scalars });
    if (control.probing) await this.#probe();
    if (config.checkpoint.every > 0 && step % config.checkpoint.every === 0) await this.#checkpoint();
    else this.#note();
    return true;
  }

  /**
   * Between two micro-batches of an iteration, which commits nothing before its end: a stop gives it up, a pause waits here, and
   * whatever is asked for is answered from the state before it.
   */
  async #between(step: number, done: number, total: number): Promise<void> {
    if (done === 0) return;
    const { control, report } = this.#parts;
    await turn();
    await this.#answer();
    if (control.paused) await this.#pause();
    if (control.stopping) throw new IterationDropped(step);
    if (performance.now() - this.#saidAt < millisecondsBetweenProgress) return;
    this.#saidAt = performance.now();
    report({ type: 'work', label: `iteration ${step}`, done, total, unit: 'micro-batches' });
  }

  /** What was asked for since the last time. */
  async #answer(): Promise<void> {
    const { control } = this.#parts;
    if (control.takeCheckpointRequest()) await this.#checkpoint();
    if (control.takeProbeRequest()) await this.#probe();
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
    const { session, run, recorder } = this.#parts;
    this.#saidAt = performance.now();
    try {
      return await session.trainer.advance({ onMicro: (...at) => this.#between(...at) });
    } catch (error) {
      if (error instanceof IterationDropped) return null;
      if (!(error instanceof NumericStop)) throw error;
      const scalars = session.scalars({ step: error.step, scalars: error.scalars });
      const { path } = recorder.fields(error.step, 'stop', error.tensors, { scalars: describe(scalars) });
      await this.#checkpoint();
      throw numericError(error.step, scalars, {
        tensors: path,
        folder: run.paths.folder,
        kind: this.#parts.config.kind,
      });
    }
  }

  /** Saves the state unless this very state is saved already. */
  async #checkpoint(): Promise<void> {
    const { run, config, session, recorder, report, disk, inputs } = this.#parts;
    const { step } = session.trainer;
    if (this.#saved === step) return;
    run.lock.renew();
    const files = await session.trainer.save();
    const { checkpoints } = run.paths;
    const json = { kind: config.kind, step, seed: config.seed, inputs };
    const path = await saveCheckpoint(checkpoints, step, { files, json }, disk);
    this.#saved = step;
    pruneCheckpoints(checkpoints, config.checkpoint);
    recorder.sync();
    run.update({ step });
    report({ type: 'checkpoint', step, path });
  }

  async #pause(): Promise<void> {
    const { control, report, run, session } = this.#parts;
    run.update({ state: 'paused', step: session.trainer.step });
    report({ type: 'state', state: 'paused' });
    while (control.paused) {
      await control.nextCommand();
      await this.#answer();
    }
    run.update({ state: 'running' });
    report({ type: 'state', state: 'running' });
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
