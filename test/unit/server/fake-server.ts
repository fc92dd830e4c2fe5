/** A server without a channel: requests are called as functions, checked like real ones, and what it says is kept. */
import type { NotificationDefinition, RequestDefinition } from '../../../backend/protocol/rpc/index.ts';
import type { Handler, RequestContext, Server } from '../../../backend/server/handler.ts';

export interface Said {
  readonly method: string;
  readonly params: unknown;
}

export class FakeServer implements Server {
  readonly said: Said[] = [];
  /** Called at every notification. */
  onSaid: (said: Said) => void = () => {};
  readonly #handlers = new Map<string, (params: unknown, context: RequestContext) => Promise<unknown>>();
  readonly #ends: (() => void | Promise<void>)[] = [];

  handle<P, R>(definition: RequestDefinition<P, R>, handler: Handler<P, R>): void {
    if (this.#handlers.has(definition.method)) throw new Error(`${definition.method} has a handler already`);
    this.#handlers.set(definition.method, async (params, context) => {
      return definition.result.parse(await handler(definition.params.parse(params), context));
    });
  }

  notify<P>(definition: NotificationDefinition<P>, params: P): void {
    const said = { method: definition.method, params: definition.params.parse(params) };
    this.said.push(said);
    this.onSaid(said);
  }

  log(): void {}

  onEnd(cleanUp: () => void | Promise<void>): void {
    this.#ends.push(cleanUp);
  }

  async ask<P, R>(definition: RequestDefinition<P, R>, params: P, signal = new AbortController().signal): Promise<R> {
    const handler = this.#handlers.get(definition.method);
    if (!handler) throw new Error(`nobody handles ${definition.method}`);
    const context: RequestContext = {
      signal,
      notify: (notification, value) => this.notify(notification, value),
      log: () => {},
    };
    return (await handler(params, context)) as R;
  }

  async end(): Promise<void> {
    for (const cleanUp of this.#ends) await cleanUp();
  }
}
