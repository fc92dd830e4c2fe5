/** Distills the built-in teacher for a given time in a run of its own and returns the generator it got to. */
import { join } from 'node:path';
import { packageRoot } from '../../files/package.ts';
import { unpackParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { openModel } from '../../models/model-file.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { loadLatest } from '../../runs/checkpoints/checkpoints.ts';
import { readConfigFile } from '../../runs/config-file.ts';
import { runPaths } from '../../runs/folder/run-folder.ts';
import { startLiveRun } from '../../runs/live/live-run.ts';
import type { Output } from '../output.ts';
import { createProgress, type Progress, progressMode } from '../progress.ts';
import { stopOnSignals } from '../train/stop-run.ts';
import { notesOf } from '../train/watch.ts';

export interface DistillForOptions {
  readonly seconds: number;
  readonly pairs: number;
  readonly root: string;
  readonly device: string;
  readonly threads: number;
}

export interface Trained {
  /** The generator's averaged weights by name. */
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly steps: number;
  readonly folder: string;
}

export async function distillFor(options: DistillForOptions, output: Output): Promise<Trained> {
  const { seconds, pairs, root, device, threads } = options;
  const config = await readConfigFile(join(packageRoot(), 'media', 'scenes', 'quick.dmd.json'));
  const request = {
    start: { config, root },
    set: [`device="${device}"`, `threads=${threads}`, `regression.pairs.count=${pairs}`],
    half: false,
  };
  const stop = () => run.stop();
  const watch = new Watch(seconds, output, stop);
  const run = await startLiveRun(request, (message) => watch.take(message));
  const signals = stopOnSignals(run, () => {});
  await run.ended;
  signals.dispose();
  if (signals.ended()) throw new UserError('cancelled', `ended at once; the run so far is in ${watch.folder}`);
  if (watch.failure) throw watch.failure;
  return { ...(await generatorOf(watch.folder)), folder: watch.folder };
}

/** Follows the run: shows how far it is and stops it when the time is up. */
class Watch {
  folder = '';
  failure: Error | null = null;
  readonly #seconds: number;
  readonly #output: Output;
  readonly #stop: () => void;
  #progress: Progress | null = null;
  #label = '';
  #began = 0;

  constructor(seconds: number, output: Output, stop: () => void) {
    this.#seconds = seconds;
    this.#output = output;
    this.#stop = stop;
  }

  take(message: RunMessage): void {
    if (message.type === 'opened') this.folder = message.folder;
    if (message.type === 'work') this.#show(message.label, message.total, message.unit).update(message.done);
    if (message.type === 'step') this.#step(message);
    if (message.type === 'note') this.#output.line(`   ${message.text}`);
    if (message.type === 'ended' || message.type === 'failed') this.#progress?.end();
    if (message.type === 'failed') {
      const { kind, message: text, hint, stack } = message.error;
      this.failure = kind === 'bug' ? new Error(`${text}\n${stack}`) : new UserError(kind, text, hint);
    }
  }

  #step({ step, scalars }: Extract<RunMessage, { type: 'step' }>): void {
    this.#began ||= performance.now();
    const elapsed = (performance.now() - this.#began) / 1000;
    const done = Math.min(Math.round(elapsed), this.#seconds);
    this.#show('distill', this.#seconds, 's').update(done, { iteration: step, ...notesOf(scalars) });
    if (elapsed >= this.#seconds) this.#stop();
  }

  #show(label: string, total: number, unit: string): Progress {
    if (this.#label !== label) {
      this.#progress?.end();
      this.#progress = createProgress(progressMode(this.#output.json), label, total, { unit });
      this.#label = label;
    }
    return this.#progress!;
  }
}

async function generatorOf(folder: string): Promise<{ weights: ReadonlyMap<string, TensorData>; steps: number }> {
  const { checkpoint } = await loadLatest(runPaths(folder).checkpoints);
  const generator = checkpoint?.files.get('generator');
  if (!checkpoint || !generator) {
    throw new UserError('cancelled', 'stopped before the first iteration', 'Run it again to see the rest.');
  }
  const { network } = await openModel('builtin:scenes/teacher');
  const average = await generator.read('ema', 0, network.layout.size);
  return { weights: unpackParameters(network.layout, average), steps: checkpoint.step };
}
