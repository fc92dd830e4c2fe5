/** Run folders as runs write them, without a run; and links to runs that the test plays. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Interests } from '../../../backend/protocol/rpc/index.ts';
import { type Greeting, linkProtocol } from '../../../backend/protocol/run-link.ts';
import type { RunMessage } from '../../../backend/protocol/run-messages.ts';
import { runRequests } from '../../../backend/protocol/run-requests.ts';
import { createRun, type OpenRun, resumeRun } from '../../../backend/runs/folder/run-folder.ts';
import type { RunLink } from '../../../backend/runs/live/link.ts';
import { distillConfig } from '../training/tiny.ts';

const setup = { version: '0', device: 'cpu', threads: 1 };

export function scratchFolder(): string {
  return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-runs-')));
}

/** A run that this process works on until `close`. */
export function makeRun(root: string, { name = 'tiny', contact = '', iterations = 100 } = {}): OpenRun {
  return createRun(root, distillConfig('builtin:scenes', { name, iterations }), setup, { contact });
}

export function reopenRun(folder: string, contact = ''): OpenRun {
  return resumeRun(folder, setup, { contact });
}

/** The run's end of a link. */
export interface PlayedRun {
  readonly link: RunLink;
  /** What it was asked to tell, the newest last. */
  readonly wanted: Interests[];
  /** Everything else that it was asked. */
  readonly asked: string[];
  say(message: RunMessage): void;
  end(reason: string): void;
}

export function playRun(folder: string, step = 0): PlayedRun {
  const wanted: Interests[] = [];
  const asked: string[] = [];
  const listeners = new Set<(message: RunMessage) => void>();
  const closing = new Set<(reason: string) => void>();
  const end = (reason: string) => {
    for (const listener of closing) listener(reason);
    closing.clear();
    listeners.clear();
  };
  const greeting: Greeting = {
    type: 'greeting',
    protocol: linkProtocol,
    opened: {
      ...{ type: 'opened', folder, kind: 'distill', device: 'cpu', why: 'asked for', threads: 1 },
      ...{ step, iterations: 100, restartAt: null, probe: true },
    },
    state: 'running',
    work: null,
    step,
    last: null,
  };
  const link: RunLink = {
    greeting,
    async ask({ method, result }, params) {
      if (method === runRequests.subscribe.method) wanted.push(runRequests.subscribe.params.parse(params));
      else asked.push(method);
      return result.parse(method === runRequests.subscribe.method ? null : { step, path: '/checkpoint' });
    },
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onClose(listener) {
      closing.add(listener);
      return () => closing.delete(listener);
    },
    close: () => end(''),
  };
  return {
    link,
    wanted,
    asked,
    end,
    say(message) {
      for (const listener of listeners) listener(message);
    },
  };
}

/** Only for what never comes: a busy machine may take long. */
const patienceMs = 90_000;

/** Collects what is told, and waits for what should be. */
export class Heard<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (value: T): void => {
    this.all.push(value);
    for (const look of [...this.#waiting]) look();
  };

  /** The first one, told before or to come, that is wanted. */
  async until(wanted: (value: T) => boolean, what: string): Promise<T> {
    return this.once(() => this.all.find(wanted), what);
  }

  /** Settles when a look at everything told so far gives something. */
  once<R>(look: () => R | undefined, what: string): Promise<R> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`not told: ${what}; but ${JSON.stringify(this.all.slice(-5)).slice(-1000)}`));
      }, patienceMs);
      const check = () => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }
}
