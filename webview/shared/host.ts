/**
 * The page's line to the extension host: requests that always end (answer, error, cancelled, timed out), notifications, and
 * the state that outlives the page.
 */
import type { z } from '../../backend/protocol/config/zod.ts';
import { type HostMessage, hostMessageSchema, type PageMessage } from '../../backend/protocol/panels/envelope.ts';
import type { NotificationDefinition, RequestDefinition } from '../../backend/protocol/rpc/define.ts';

/** What the host said instead of an answer; `kind` as in UserError, `bug`, or `timeout`. */
export class HostError extends Error {
  readonly kind: string;
  readonly hint: string;

  constructor(kind: string, message: string, hint: string) {
    super(message);
    this.name = 'HostError';
    this.kind = kind;
    this.hint = hint;
  }
}

export function isCancelled(error: unknown): boolean {
  return error instanceof HostError && error.kind === 'cancelled';
}

/** What is told of something that went wrong, and what to do next. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

export function problemOf(error: unknown): Problem {
  const hint = error instanceof HostError ? error.hint : '';
  return { message: error instanceof Error ? error.message : String(error), hint };
}

/** What happened and what to do next, as sentences for the page. */
export function wordsOf(error: unknown): string {
  if (error instanceof HostError) return error.hint ? `${error.message}. ${error.hint}` : error.message;
  return error instanceof Error ? error.message : String(error);
}

export interface Host {
  /** Rejects with a HostError; with kind `cancelled` once the signal is aborted. */
  request<P, R>(definition: RequestDefinition<P, R>, params: P, signal?: AbortSignal): Promise<R>;
  notify<P>(definition: NotificationDefinition<P>, params: P): void;
  /** Returns what ends it. */
  on<P>(definition: NotificationDefinition<P>, handler: (params: P) => void): () => void;
  /** What was saved before the page was thrown away, if it still fits the schema. */
  load<S>(schema: z.ZodType<S>): S | undefined;
  save(state: unknown): void;
}

interface Pending {
  readonly answer: (result: unknown) => void;
  readonly fail: (error: HostError) => void;
}

/** Call once: a page has one line. */
export function connectHost(): Host {
  const api = acquireVsCodeApi();
  const post = (message: PageMessage) => api.postMessage(message);
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, Set<(params: unknown) => void>>();
  // A page that was thrown away may have left requests open, and their answers come to this one.
  let last = Math.floor(Math.random() * 2 ** 40);

  const settle = (message: Exclude<HostMessage, { type: 'notification' }>) => {
    const asked = pending.get(message.id); // none: cancelled or timed out
    if (message.type === 'result') return asked?.answer(message.result);
    const { kind, message: text, hint } = message.error;
    asked?.fail(new HostError(kind, text, hint));
  };

  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const message = hostMessageSchema.safeParse(data);
    if (!message.success) return; // not ours: extensions of the browser post messages too
    if (message.data.type !== 'notification') return settle(message.data);
    const { method, params } = message.data;
    for (const listener of listeners.get(method) ?? []) listener(params);
  });

  return {
    request(definition, params, signal) {
      const id = last++;
      const { method, timeoutSeconds } = definition;
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(cancelled());
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', cancel);
          pending.delete(id);
        };
        const fail = (error: HostError) => {
          end();
          reject(error);
        };
        const giveUp = (error: HostError) => {
          post({ type: 'cancel', id });
          fail(error);
        };
        const cancel = () => giveUp(cancelled());
        const late = () =>
          giveUp(new HostError('timeout', `no answer to ${method} within ${timeoutSeconds} s`, 'Try again.'));
        const timer = timeoutSeconds === null ? undefined : setTimeout(late, timeoutSeconds * 1000);
        signal?.addEventListener('abort', cancel);
        const answer = (result: unknown) => {
          const checked = definition.result.safeParse(result);
          if (!checked.success) return fail(new HostError('bug', `the answer to ${method} is damaged`, ''));
          end();
          resolve(checked.data);
        };
        pending.set(id, { answer, fail });
        post({ type: 'request', id, method, params });
      });
    },
    notify({ method }, params) {
      post({ type: 'notification', method, params });
    },
    on({ method, params: schema }, handler) {
      const listener = (params: unknown) => {
        const checked = schema.safeParse(params);
        if (checked.success) handler(checked.data);
        else console.error(`damaged notification ${method}`, checked.error);
      };
      const of = listeners.get(method) ?? new Set();
      listeners.set(method, of.add(listener));
      return () => of.delete(listener);
    },
    load(schema) {
      const state = schema.safeParse(api.getState());
      return state.success ? state.data : undefined;
    },
    save(state) {
      api.setState(state);
    },
  };
}

function cancelled(): HostError {
  return new HostError('cancelled', 'cancelled', '');
}
