/** Shows a run on the terminal as its messages come, and turns Ctrl-C into an orderly stop. */
import path from 'node:path';
import { printable } from '../../protocol/printable.ts';
import type { RunMessage, RunMessageOf } from '../../protocol/run-messages.ts';
import type { LiveRun } from '../../runs/live/live-run.ts';
import { noteInLog } from '../../runs/live/run-log.ts';
import type { Output } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';
import { type RunStop, stopOnSignals } from './stop-run.ts';

export interface Watcher {
  message(message: RunMessage): void;
  /** Listens for what asks the process to end, and says what comes of it. */
  signals(run: LiveRun): RunStop;
  /** Whether somebody asked the run to stop, here or in another window. */
  stopped(): boolean;
  last(): RunMessage | undefined;
  /** What to say of a run that was ended in the middle of a step. */
  wayOn(): string;
  end(): void;
}

/** What is shown beside the bar, where the run has it. */
const shownScalars: readonly (readonly [label: string, tag: string])[] = [
  ['matching', 'loss/matching'],
  ['regression', 'loss/regression'],
  ['gan', 'loss/gan'],
  ['fake', 'loss/fake'],
  ['student', 'loss/student'],
  ['loss', 'loss/teacher'],
];

/** What other windows make a run do. */
const stateWords = {
  running: 'going on',
  paused: 'paused from another window, which can let it go on',
  stopping: 'stopping after this step, as another window asked',
} as const;

export function watchRun(kind: string, output: Output): Watcher {
  const bars = new Bars(output.json);
  let last: RunMessage | undefined;
  let folder = '';
  let at: Pick<RunMessageOf<'step'>, 'step' | 'iterations' | 'scalars'> = { step: 0, iterations: 0, scalars: {} };
  let stopped = false;
  let signalled = false;
  let stop: RunStop | undefined;
  /** Also where it can be read when the terminal is gone. */
  const sayWhy = (text: string) => {
    output.line(text);
    output.event('note', { level: 'info', text });
    if (folder) noteInLog(folder, text);
  };
  const show = (message: RunMessage) => {
    switch (message.type) {
      case 'opened':
        at = { ...message, scalars: {} };
        output.line(`${message.step > 0 ? `Resuming after step ${message.step}` : 'Run'} in ${shown(folder)}`);
        output.line(`Device ${message.device}, ${message.threads} threads: ${message.why}.`);
        break;
      case 'work':
        // A part of a long iteration is told beside the iterations, whose rate and time left go on.
        if (message.unit === 'micro-batches') {
          const part = { 'micro-batch': `${message.done}/${message.total}` };
          bars.update(kind, 'it', at.step, at.iterations, { ...notesOf(at.scalars), ...part });
        } else bars.update(message.label, message.unit, message.done, message.total, {});
        break;
      case 'step':
        at = message;
        bars.update(kind, 'it', at.step, at.iterations, notesOf(at.scalars));
        break;
      case 'note':
        bars.end();
        process.stderr.write(`${message.level === 'warning' ? 'warning: ' : ''}${printable(message.text)}\n`);
        break;
      case 'state':
        bars.end();
        if (message.state !== 'stopping' || !signalled) process.stderr.write(`${stateWords[message.state]}\n`);
        break;
      case 'checkpoint':
      case 'recorded':
      case 'probe':
        break;
      case 'ended':
        bars.end();
        for (const line of lastLines(kind, message)) output.line(line);
        break;
      case 'failed':
        bars.end();
        break;
    }
  };
  return {
    message(message) {
      if (message.type === 'probe') return;
      // A thread that was ended as it was asked to has not failed.
      if (message.type === 'failed' && stop?.ended()) return;
      last = message;
      if (message.type === 'opened') folder = message.folder;
      stopped ||= message.type === 'state' && message.state === 'stopping';
      const { type, ...fields } = message;
      output.event(type, fields);
      if (!output.json) show(message);
    },
    signals(run) {
      stop = stopOnSignals(run, (why) => {
        signalled = true;
        if (!output.json) process.stderr.write('\nstopping after this step; once more to stop at once\n');
        if (why) sayWhy(`stopping after this step: ${why}`);
      });
      return stop;
    },
    stopped: () => stopped,
    last: () => last,
    wayOn: () =>
      folder
        ? `Ended at once; the last checkpoint is kept. Go on with: dmd ${kind} --resume ${shown(folder)}`
        : 'Ended before the run began.',
    end: () => bars.end(),
  };
}

function lastLines(kind: string, message: Extract<RunMessage, { type: 'ended' }>): string[] {
  const { state, step, iterations, folder, files } = message;
  if (state === 'finished')
    return [`Finished ${iterations} iterations.`, ...files.map((file) => `Wrote ${shown(file)}`)];
  return [`Stopped at step ${step} of ${iterations}. Go on with: dmd ${kind} --resume ${shown(folder)}`];
}

/** Relative where that is shorter. */
function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative !== '' && !relative.startsWith('..') ? relative : file;
}

export function notesOf(scalars: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(shownScalars.flatMap(([label, tag]) => (tag in scalars ? [[label, scalars[tag]]] : [])));
}

/** One bar at a time: work of another name ends the one before. */
class Bars {
  readonly #silent: boolean;
  #label = '';
  #progress: Progress | undefined;

  constructor(silent: boolean) {
    this.#silent = silent;
  }

  update(label: string, unit: string, done: number, total: number, notes: Record<string, string | number>): void {
    if (this.#silent) return;
    if (label !== this.#label) {
      this.end();
      this.#label = label;
      this.#progress = createProgress(process.stderr.isTTY ? 'bar' : 'lines', label, total, { unit });
    }
    this.#progress?.update(done, notes);
  }

  end(): void {
    this.#progress?.end();
    this.#progress = undefined;
    this.#label = '';
  }
}
