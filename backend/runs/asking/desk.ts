/**
 * What a run was asked and has not answered. Whoever can answer something says so (`handle`); the run answers what waits when it
 * comes to the desk (`answer`), between two stages of an iteration, where nothing is half done.
 */
import { UserError } from '../../protocol/errors.ts';
import type { RequestDefinition } from '../../protocol/rpc/define.ts';
import type { AskRun } from '../../protocol/run-requests.ts';

/** What it returns is the asker's, buffers included. @param signal aborted when the asker cancels or has gone */
export type Handler<P, R> = (params: P, signal: AbortSignal) => R | Promise<R>;

interface Asked {
  readonly method: string;
  readonly signal: AbortSignal;
  readonly answer: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

const never = new AbortController().signal;

export class Desk {
  readonly #handlers = new Map<
    string,
    { readonly handler: Handler<never, unknown>; readonly atOnce: boolean; readonly lasting: boolean }
  >();
  #waiting: Asked[] = [];
  #closed: Error | undefined;

  /** @param atOnce needs nothing of the iteration in hand. @param lasting stays when the others are forgotten */
  handle<P, R>(
    { method }: RequestDefinition<P, R>,
    handler: Handler<P, R>,
    { atOnce = false, lasting = false } = {},
  ): void {
    if (this.#handlers.has(method)) throw new Error(`${method} has a handler already`);
    this.#handlers.set(method, { handler, atOnce, lasting });
  }

  /** Forgets who answers between two stages: others will. */
  forgetHandlers(): void {
    for (const [method, { lasting }] of [...this.#handlers]) if (!lasting) this.#handlers.delete(method);
  }

  readonly ask: AskRun = (definition, params, signal = never) =>
    new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      const { method } = definition;
      const answer = async () => {
        try {
          signal.throwIfAborted();
          const entry = this.#handlers.get(method);
          if (!entry) throw new UserError('usage', `this run cannot answer ${method} now`);
          resolve(await (entry.handler as Handler<typeof params, never>)(params, signal));
        } catch (error) {
          reject(signal.aborted ? new UserError('cancelled', 'cancelled') : error);
        }
      };
      if (this.#handlers.get(method)?.atOnce) void answer();
      else this.#waiting.push({ method, signal, answer, reject });
    });

  /** Answers what waits, one after the other, and what is asked meanwhile. Never rejects. */
  async answer(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await next.answer();
  }

  /** Nobody will come any more: refuses what waits, and all to come. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
