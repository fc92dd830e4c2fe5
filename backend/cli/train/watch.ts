/** Shows a run on the terminal as its messages come, and turns Ctrl-C into an orderly stop. */
import path from 'node:path';
import { exitCodes } from '../../protocol/errors.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import type { LiveRun } from '../../runs/live/live-run.ts';
import type { Output } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';

export interface Watcher {
  message(message: RunMessage): void;
  /** Listens for SIGINT, SIGTERM and SIGHUP: the first stops the run after its step, the second ends the process at once. */
  signals(run: LiveRun): { dispose(): void };
  /** Whether somebody asked the run to stop, here or in another window. */
  stopped(): boolean;
  last(): RunMessage | undefined;
  end(): void;
}

/** What is shown beside the bar, where the run has it. */
const shownScalars: readonly (readonly [label: string, tag: string])[] = [
  ['matching', 'loss/matching'],
  ['regression', 'loss/regression'],
  ['fake', 'loss/fake'],
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
  let stopped = false;
  let signalled = false;
  const show = (message: RunMessage) => {
    switch (message.type) {
      case 'opened':
        folder = message.folder;
        output.line(`${message.step > 0 ? `Resuming after step ${message.step}` : 'Run'} in ${shown(folder)}`);
        output.line(`Device ${message.device}, ${message.threads} threads: ${message.why}.`);
        break;
      case 'work':
        bars.update(message.label, message.unit, message.done, message.total, {});
        break;
      case 'step':
        bars.update(kind, 'it', message.step, message.iterations, notesOf(message.scalars));
        break;
      case 'note':
        bars.end();
        process.stderr.write(`${message.level === 'warning' ? 'warning: ' : ''}${message.text}\n`);
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
      last = message;
      stopped ||= message.type === 'state' && message.state === 'stopping';
      const { type, ...fields } = message;
      output.event(type, fields);
      if (!output.json) show(message);
    },
    signals(run) {
      const stop = () => {
        // Exits without the threads' own clean-up: the lock is taken over by whoever resumes.
        if (signalled) process.exit(exitCodes.cancelled);
        signalled = true;
        if (!output.json) process.stderr.write('\nstopping after this step; once more to stop at once\n');
        run.stop();
      };
      // A closed terminal stops the run too; writing to it must then not end the process before the checkpoint.
      const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const name of names) process.on(name, stop);
      return {
        dispose() {
          for (const name of names) process.off(name, stop);
        },
      };
    },
    stopped: () => stopped,
    last: () => last,
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

  update(label: string, unit: string, done: number, total: number, notes: Record<string, number>): void {
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
