/** The asking end of a line (a socket, a thread): numbers requests and sees to it that every one of them ends. */

import { errorFrom } from '../../files/describe-error.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import type { AnsweringFrame, AskingFrame } from '../../protocol/run-link.ts';
import type { AskRun } from '../../protocol/run-requests.ts';

interface Waiting {
  readonly answer: (result: unknown) => void;
  readonly fail: (error: unknown) => void;
}

export class Asker {
  readonly #send: (frame: AskingFrame) => void;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #closed: Error | undefined;

  constructor(send: (frame: AskingFrame) => void) {
    this.#send = send;
  }

  /** What arrives is checked against the request's schema. */
  readonly ask: AskRun = (definition, params, signal) => {
    const { method, result: schema, timeoutSeconds } = definition;
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(cancelled());
      const end = () => {
        this.#waiting.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
      };
      const fail = (error: unknown) => {
        end();
        reject(error);
      };
      const giveUp = (error: Error) => {
        this.#send({ type: 'cancel', id });
        fail(error);
      };
      const cancel = () => giveUp(cancelled());
      const late = () => giveUp(new UserError('io', `no answer to ${method} within ${timeoutSeconds} s`, 'Ask again.'));
      const timer = timeoutSeconds === null ? undefined : setTimeout(late, timeoutSeconds * 1000);
      signal?.addEventListener('abort', cancel, { once: true });
      const answer = (result: unknown) => {
        const { success, data } = safeParse(schema, result);
        if (!success) return fail(new Error(`the answer to ${method} is damaged`));
        end();
        resolve(data);
      };
      this.#waiting.set(id, { answer, fail });
      try {
        this.#send({ type: 'request', id, method, params });
      } catch (error) {
        fail(error); // it cannot be sent
      }
    });
  };

  /** An answer to what nobody waits for any more is ignored. */
  take(frame: AnsweringFrame): void {
    const waiting = this.#waiting.get(frame.id);
    if (frame.type === 'answer') waiting?.answer(frame.result);
    else waiting?.fail(errorFrom(frame.error));
  }

  /** The line has gone: so end the requests that wait, and all to come. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const { fail } of [...this.#waiting.values()]) fail(error);
  }
}

function cancelled(): UserError {
  return new UserError('cancelled', 'cancelled');
}
