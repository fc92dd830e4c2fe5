/** Answers requests over a channel: finds the handler, checks the params, and turns every outcome into an answer. */

import {
  createMessageConnection,
  ErrorCodes,
  type Message,
  type MessageConnection,
  ResponseError,
} from 'vscode-jsonrpc/node';
import { describeError } from '../files/describe-error.ts';
import { safeParse } from '../protocol/config/safe-parse.ts';
import { z } from '../protocol/config/zod.ts';
import { UserError } from '../protocol/errors.ts';
import {
  type ErrorData,
  handlerErrorCode,
  log,
  type NotificationDefinition,
  type RequestDefinition,
} from '../protocol/rpc/index.ts';
import { ChannelReader, ChannelWriter, type Port } from './channel.ts';
import type { Handler, LogLevel, RequestContext, Server } from './handler.ts';

interface Entry {
  readonly params: z.ZodType;
  readonly handler: Handler<never, unknown>;
}

export class RpcServer implements Server {
  readonly #entries = new Map<string, Entry>();
  readonly #cleanUps: (() => void | Promise<void>)[] = [];
  readonly #ending = new AbortController();
  readonly #writer: ChannelWriter;
  readonly #connection: MessageConnection;

  /** @param port e.g. `process`; nothing is read before `listen` */
  constructor(port: Port) {
    this.#writer = new ChannelWriter(port);
    const reader = new ChannelReader(port, (what, id) => {
      this.log('warning', `received what is not a message: ${what}`);
      if (id === null) return;
      const error = failure(ErrorCodes.InvalidRequest, `not a request: ${what}`).toJson();
      void this.#writer.write({ jsonrpc: '2.0', id, error } as Message);
    });
    this.#connection = createMessageConnection(reader, this.#writer, {
      error: (text) => this.log('error', text),
      warn: (text) => this.log('warning', text),
      info: () => {},
      log: () => {},
    });
    this.#connection.onRequest((method, params, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      if (token.isCancellationRequested) abort.abort();
      return this.#answer(method, params, AbortSignal.any([abort.signal, this.#ending.signal]));
    });
    this.#connection.onUnhandledNotification(({ method }) => this.log('warning', `no such notification: ${method}`));
  }

  handle<P, R>(definition: RequestDefinition<P, R>, handler: Handler<P, R>): void {
    const { method, params } = definition;
    if (this.#entries.has(method)) throw new Error(`${method} has a handler already`);
    this.#entries.set(method, { params, handler });
  }

  /** The requests that have a handler. */
  methods(): string[] {
    return [...this.#entries.keys()];
  }

  listen(): void {
    this.#connection.listen();
  }

  async notify<P>({ method }: NotificationDefinition<P>, params: P): Promise<void> {
    if (!this.#ending.signal.aborted) await this.#connection.sendNotification(method, params);
  }

  log(level: LogLevel, text: string): void {
    void this.notify(log, { level, text });
  }

  onEnd(cleanUp: () => void | Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Cancels what is in hand and cleans up; what that throws is passed to `onError`. */
  async end(onError: (error: unknown) => void): Promise<void> {
    await this.#writer.flushed();
    this.#ending.abort();
    await Promise.all(
      this.#cleanUps.splice(0).map(async (cleanUp) => {
        try {
          await cleanUp();
        } catch (error) {
          onError(error);
        }
      }),
    );
    await this.#writer.flushed();
  }

  async #answer(method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
    const entry = this.#entries.get(method);
    if (!entry) throw failure(ErrorCodes.MethodNotFound, `there is no request ${method}`);
    const checked = safeParse(entry.params, params ?? {});
    if (!checked.success) {
      throw failure(ErrorCodes.InvalidParams, `${method}: ${z.prettifyError(checked.error).slice(0, 2000)}`);
    }
    const context: RequestContext = {
      signal,
      notify: (definition, value) => this.notify(definition, value),
      log: (level, text) => this.log(level, text),
    };
    try {
      return await untilCancelled(Promise.resolve(entry.handler(checked.data as never, context)), signal);
    } catch (error) {
      throw this.#errorAnswer(method, error, signal);
    }
  }

  #errorAnswer(method: string, error: unknown, signal: AbortSignal): ResponseError<ErrorData> {
    if (signal.aborted && !(error instanceof UserError && error.kind !== 'cancelled')) {
      return responseError({ kind: 'cancelled', message: 'cancelled', hint: '', stack: '' });
    }
    const described = describeError(error);
    if (described.kind === 'bug') this.log('error', `${method}: ${described.stack || described.message}`);
    return responseError(described);
  }
}

type Described = ReturnType<typeof describeError>;

function responseError({ kind, message, hint, stack }: Described): ResponseError<ErrorData> {
  return new ResponseError(handlerErrorCode, message, { kind, hint, stack: kind === 'bug' ? stack : '' });
}

/** The two sides do not fit together. */
function failure(code: number, message: string): ResponseError<ErrorData> {
  const hint = 'Editor and backend may be of different versions: reload the window, or install the extension again.';
  return new ResponseError(code, message, { kind: 'usage', hint, stack: '' });
}

/** Ends with the work or with the signal, whichever is first; what the work does later is nobody's. */
function untilCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new UserError('cancelled', 'cancelled'));
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}
