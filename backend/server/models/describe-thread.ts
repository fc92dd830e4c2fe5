/**
 * The thread that describes models, one after the other: started when first asked, ended when nobody has asked for a while. One that
 * takes too long or too much memory ends the thread, not the others behind it.
 */
import { Worker } from 'node:worker_threads';
import type { ModelInfo } from '../../protocol/rpc/images.ts';
import type { DescribeWork } from './describe.worker.ts';

export interface DescribeLimits {
  /** For a file that says in its header what it is. */
  readonly seconds: number;
  /** For one that has to be read whole. */
  readonly secondsForWhole: number;
  /** Of JavaScript's own memory. */
  readonly megabytes: number;
}

const usualLimits: DescribeLimits = { seconds: 15, secondsForWhole: 120, megabytes: 1024 };
const idleMs = 10_000;

interface Asked {
  readonly work: DescribeWork;
  readonly resolve: (info: ModelInfo) => void;
  /** What went wrong, as the end of a sentence about the model. */
  readonly reject: (error: Error) => void;
}

export class DescribeThread {
  readonly #limits: DescribeLimits;
  readonly #queue: Asked[] = [];
  #worker: Worker | undefined;
  #current: Asked | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: DescribeLimits = usualLimits) {
    this.#limits = limits;
  }

  /** Rejects with an Error that says why there is no description. */
  ask(work: DescribeWork): Promise<ModelInfo> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#next();
    });
  }

  end(): void {
    for (const { reject } of this.#queue.splice(0)) reject(new Error('the program is ending'));
    this.#give(new Error('the program is ending'));
    this.#drop();
  }

  #next(): void {
    if (this.#current) return;
    clearTimeout(this.#timer);
    this.#current = this.#queue.shift();
    if (!this.#current) {
      this.#worker?.unref();
      this.#timer = setTimeout(() => this.#drop(), idleMs).unref();
      return;
    }
    const { work } = this.#current;
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(work);
    const seconds = isReadWhole(work.path) ? this.#limits.secondsForWhole : this.#limits.seconds;
    this.#timer = setTimeout(() => this.#fail(`it takes more than ${seconds} s to look at`), 1000 * seconds);
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: this.#limits.megabytes };
    const worker = new Worker(new URL('./describe.worker.ts', import.meta.url), { resourceLimits });
    const died = (why: string) => {
      if (this.#worker === worker) this.#fail(why);
    };
    worker.on('message', (info: ModelInfo) => this.#give(info));
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      died(isMemory ? `it takes more than ${this.#limits.megabytes} MB to look at` : error.message);
    });
    worker.on('exit', (code) => died(`the thread that looked at it ended (exit code ${code})`));
    return worker;
  }

  /** The next one gets another thread. */
  #fail(why: string): void {
    this.#drop();
    this.#give(new Error(why));
  }

  #give(result: ModelInfo | Error): void {
    const asked = this.#current;
    this.#current = undefined;
    clearTimeout(this.#timer);
    if (result instanceof Error) asked?.reject(result);
    else asked?.resolve(result);
    this.#next();
  }

  #drop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}

/** A pickle has no header. */
function isReadWhole(path: string): boolean {
  return /\.(pkl|pickle|pt|pth|ckpt|bin)$/i.test(path);
}
