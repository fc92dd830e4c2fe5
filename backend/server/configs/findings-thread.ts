/** The thread that looks for findings: started when first asked, ended when nobody has asked for a while. */
import { Worker } from 'node:worker_threads';
import { errorFrom } from '../../files/describe-error.ts';
import type { Finding } from '../../methods/common/finding.ts';
import type { Config } from '../../protocol/config/index.ts';
import type { FindingsAnswer } from './findings.worker.ts';

const idleMs = 10_000;

interface Waiting {
  readonly resolve: (findings: readonly Finding[]) => void;
  readonly reject: (error: Error) => void;
}

export class FindingsThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #asked = 0;

  /** Rejects when the thread dies, e.g. for want of memory. */
  ask(config: Config): Promise<readonly Finding[]> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const id = ++this.#asked;
    this.#worker.postMessage({ id, config });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  end(): void {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./findings.worker.ts', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, findings, error }: FindingsAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(errorFrom(error));
      else waiting?.resolve(findings);
      if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.end(), idleMs).unref();
    });
    const died = (reason: Error) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(reason);
      this.#waiting.clear();
    };
    worker.on('error', died);
    worker.on('exit', (code) => {
      if (this.#worker === worker) died(new Error(`the thread that checks configs ended (exit code ${code})`));
    });
    return worker;
  }
}
