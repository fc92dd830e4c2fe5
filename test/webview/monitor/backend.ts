/** The server's own answers about runs, without a process between: what the extension calls a Backend. */
import { EventEmitter } from 'node:events';
import { followRun, type NotificationDefinition, type RequestDefinition } from '../../../backend/protocol/rpc/index.ts';
import type { Handler, RequestContext, Server } from '../../../backend/server/handler.ts';
import { registerInspect } from '../../../backend/server/inspect/index.ts';
import { registerRuns } from '../../../backend/server/runs/index.ts';
import { registerWeights } from '../../../backend/server/weights/index.ts';

interface Token {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): unknown;
}

export class BackendInProcess {
  readonly #handlers = new Map<string, Handler<never, unknown>>();
  readonly #news = new EventEmitter();
  readonly #cleanUps: (() => void | Promise<void>)[] = [];
  #onCancel: () => void = () => {};
  /** When it was first asked for anything by a page: a follower. */
  begun = Number.NaN;
  /** Methods asked for, in order. */
  readonly asked: { method: string; params: unknown }[] = [];

  constructor() {
    const server: Server = {
      handle: ({ method }, handler) => void this.#handlers.set(method, handler as Handler<never, unknown>),
      notify: (definition, params) => this.tell(definition, params),
      log: () => {},
      onEnd: (cleanUp) => void this.#cleanUps.push(cleanUp),
    };
    registerInspect(server, registerRuns(server));
    registerWeights(server);
  }

  readonly onDidStart = () => ({ dispose: () => {} });

  /** Answers this request in another way from now on. */
  answer<P, R>(definition: RequestDefinition<P, R>, handler: (params: P) => Promise<R> | R): void {
    this.#handlers.set(definition.method, handler as Handler<never, unknown>);
  }

  async request<P, R>(definition: RequestDefinition<P, R>, params: P, token?: Token): Promise<R> {
    this.asked.push({ method: definition.method, params });
    if (Number.isNaN(this.begun) && definition.method === followRun.method) this.begun = performance.now();
    const abort = new AbortController();
    token?.onCancellationRequested(() => {
      abort.abort();
      this.#onCancel();
    });
    const handler = this.#handlers.get(definition.method) as Handler<P, R> | undefined;
    if (!handler) throw new Error(`no handler for ${definition.method}`);
    const context: RequestContext = { signal: abort.signal, notify: (of, news) => this.tell(of, news), log: () => {} };
    return definition.result.parse(await handler(definition.params.parse(params), context));
  }

  /** Calls back when what is asked is cancelled. */
  onCancel(listener: () => void): void {
    this.#onCancel = listener;
  }

  onNotification<P>({ method }: NotificationDefinition<P>, handler: (params: P) => void) {
    this.#news.on(method, handler);
    return { dispose: () => this.#news.off(method, handler) };
  }

  tell<P>({ method, params: schema }: NotificationDefinition<P>, params: P): void {
    this.#news.emit(method, schema.parse(params));
  }

  async end(): Promise<void> {
    for (const cleanUp of this.#cleanUps) await cleanUp();
  }
}
