/** A process that reads inputs, with limits: one that hangs, swells or dies is a finding, and the next input has a new process. */
import { type ChildProcess, fork } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sourceLoader } from '../loader.ts';
import type { Order, Outcome } from './order.ts';

/** Of the processor, not of the clock: the machine may be busy. Elsewhere than on Linux of the clock. */
const mostSeconds = 10;
/** Waiting for something that never comes takes no processor. */
const mostPatience = 120;
/** Far above what is allowed: before the machine suffers. */
const killBytes = 2.5 * 2 ** 30;

const child = fileURLToPath(new URL('child.ts', import.meta.url));

export class Judge {
  #process: ChildProcess | undefined;
  #ready: Promise<void> = Promise.resolve();
  #errors = '';

  async judge(order: Order): Promise<Outcome> {
    const process = await this.#started();
    return new Promise((resolve) => {
      const start = performance.now();
      const cpuBefore = usage(process.pid!).seconds;
      const end = (kind: Outcome['kind'], what: string) => {
        this.end();
        settle({
          kind,
          what,
          peakBytes: usage(process.pid!).bytes,
          inputBytes: 0,
          milliseconds: performance.now() - start,
        });
      };
      const onExit = (code: number | null, signal: string | null) =>
        end('crash', `the process ended (${signal ?? `exit ${code}`}): ${this.#errors}`);
      const timer = setInterval(() => {
        const { seconds, bytes } = usage(process.pid!);
        const waited = (performance.now() - start) / 1000;
        const worked = Number.isNaN(seconds) ? waited : seconds - cpuBefore;
        if (bytes > killBytes) end('memory', `more than ${killBytes / 2 ** 20} MB`);
        else if (worked > mostSeconds || waited > mostPatience)
          end('hang', `${worked.toFixed(1)} s of the processor, ${waited.toFixed(1)} s in all`);
      }, 200);
      const settle = (outcome: Outcome) => {
        clearInterval(timer);
        process.off('exit', onExit).off('message', settle);
        resolve(outcome);
      };
      process.on('exit', onExit).on('message', settle);
      process.send(order);
    });
  }

  end(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }

  async #started(): Promise<ChildProcess> {
    if (!this.#process || this.#process.exitCode !== null) this.#start();
    await this.#ready;
    return this.#process!;
  }

  #start(): void {
    this.#errors = '';
    const execArgv = ['--import', sourceLoader, '--max-old-space-size=2048'];
    const process = fork(child, [], { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    process.stderr!.on('data', (text: Buffer) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#ready = new Promise((resolve, reject) => {
      process.once('message', () => resolve());
      process.once('exit', () => reject(new Error(`the process does not start: ${this.#errors}`)));
    });
    this.#process = process;
  }
}

/** Of a process: seconds of the processor and bytes of memory so far; NaN where the system does not say. */
function usage(pid: number): { readonly seconds: number; readonly bytes: number } {
  try {
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    // utime and stime in hundredths, rss in pages (proc(5), counted without the two fields before).
    return { seconds: (Number(fields[11]) + Number(fields[12])) / 100, bytes: Number(fields[21]) * 4096 };
  } catch {
    return { seconds: Number.NaN, bytes: Number.NaN };
  }
}
