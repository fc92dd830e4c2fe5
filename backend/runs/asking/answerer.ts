/** The answering end of a line: checks what arrives, has it answered, and sends what came of it. */

import { describeError } from '../../files/describe-error.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { z } from '../../protocol/config/zod.ts';
import { UserError } from '../../protocol/errors.ts';
import type { AnsweringFrame, AskingFrame } from '../../protocol/run-link.ts';
import { type AskRun, runRequest } from '../../protocol/run-requests.ts';

/** So many requests of one asker may be open. */
const mostOpen = 64;

export class Answerer {
  readonly #ask: AskRun;
  readonly #send: (frame: AnsweringFrame) => void;
  readonly #open = new Map<number, AbortController>();
  #closed = false;

  /** @param ask answers; its signal is aborted when the asker cancels or has gone */
  constructor(ask: AskRun, send: (frame: AnsweringFrame) => void) {
    this.#ask = ask;
    this.#send = send;
  }

  take(frame: AskingFrame): void {
    if (frame.type === 'request') void this.#answer(frame);
    else this.#open.get(frame.id)?.abort();
  }

  /** The asker has gone: what it asked is cancelled. */
  close(): void {
    this.#closed = true;
    for (const abort of this.#open.values()) abort.abort();
  }

  async #answer({ id, method, params }: Extract<AskingFrame, { type: 'request' }>): Promise<void> {
    const abort = new AbortController();
    try {
      if (this.#open.size >= mostOpen) {
        throw new UserError('usage', `${mostOpen} requests wait for their answers already`, 'Ask again later.');
      }
      this.#open.set(id, abort);
      const result = await this.#ask(...checked(method, params), abort.signal);
      if (!this.#closed) this.#send({ type: 'answer', id, result });
    } catch (error) {
      if (!this.#closed) this.#send({ type: 'error', id, error: describeError(error) });
    } finally {
      if (this.#open.get(id) === abort) this.#open.delete(id);
    }
  }
}

function checked(method: string, params: unknown) {
  const definition = runRequest(method);
  if (!definition) {
    const hint = 'Ask it with the version of DMD Workbench that started it.';
    throw new UserError('usage', `this run knows no request ${JSON.stringify(method)}`, hint);
  }
  const { success, data, error } = safeParse(definition.params, params);
  if (!success) throw new UserError('usage', `${method}: ${z.prettifyError(error).slice(0, 2000)}`);
  return [definition, data] as const;
}
