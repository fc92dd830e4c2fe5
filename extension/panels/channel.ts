/**
 * The host's end of a panel: answers the page's requests, every one of them, and tells it news.
 *
 * What a page sends is checked like anything from outside: unknown methods and params that do not fit their schema get an
 * error.
 */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import {
  type HostMessage,
  type PageMessage,
  type PanelError,
  pageMessageSchema,
} from '../../backend/protocol/panels/envelope.ts';
import type { NotificationDefinition, RequestDefinition } from '../../backend/protocol/rpc/define.ts';
import type { Backend } from '../backend/backend.ts';

type RequestHandler = (params: unknown, token: vscode.CancellationToken) => Promise<unknown>;

export class PanelChannel implements vscode.Disposable {
  readonly #webview: vscode.Webview;
  readonly #log: (text: string) => void;
  readonly #listening: vscode.Disposable;
  readonly #requests = new Map<string, RequestHandler>();
  readonly #notifications = new Map<string, (params: unknown) => void>();
  readonly #pending = new Map<number, vscode.CancellationTokenSource>();

  /** @param log for what only a developer can mend */
  constructor(webview: vscode.Webview, log: (text: string) => void) {
    this.#webview = webview;
    this.#log = log;
    this.#listening = webview.onDidReceiveMessage((message: unknown) => this.#receive(message));
  }

  handle<P, R>(
    definition: RequestDefinition<P, R>,
    handler: (params: P, token: vscode.CancellationToken) => Promise<R> | R,
  ): void {
    this.#requests.set(definition.method, async (params, token) => {
      const checked = definition.params.safeParse(params);
      if (!checked.success) throw new Error(`damaged request ${definition.method}: ${checked.error.message}`);
      return handler(checked.data, token);
    });
  }

  /** Lets the backend answer. @param check throws where the page may not ask that */
  forward<P, R>(
    definition: RequestDefinition<P, R>,
    backend: Pick<Backend, 'request'>,
    check: (params: P) => void = () => {},
  ): void {
    this.handle(definition, (params, token) => {
      check(params);
      return backend.request(definition, params, token);
    });
  }

  on<P>(definition: NotificationDefinition<P>, handler: (params: P) => void): void {
    this.#notifications.set(definition.method, (params) => {
      const checked = definition.params.safeParse(params);
      if (checked.success) handler(checked.data);
      else this.#log(`damaged notification ${definition.method}: ${checked.error.message}`);
    });
  }

  notify<P>(definition: NotificationDefinition<P>, params: P): void {
    this.#post({ type: 'notification', method: definition.method, params });
  }

  /** Ends what the page still waits for: it is gone, and a new one asks anew. */
  cancelAll(): void {
    for (const source of this.#pending.values()) source.cancel();
    this.#pending.clear();
  }

  dispose(): void {
    this.cancelAll();
    this.#listening.dispose();
  }

  #receive(message: unknown): void {
    const checked = pageMessageSchema.safeParse(message);
    if (!checked.success) {
      this.#log(`a message that is none: ${checked.error.message}`);
      return;
    }
    const { data } = checked;
    if (data.type === 'cancel') this.#pending.get(data.id)?.cancel();
    else if (data.type === 'notification') this.#notifications.get(data.method)?.(data.params);
    else void this.#answer(data);
  }

  async #answer({ id, method, params }: Extract<PageMessage, { type: 'request' }>): Promise<void> {
    const source = new vscode.CancellationTokenSource();
    this.#pending.set(id, source);
    try {
      const handler = this.#requests.get(method);
      if (!handler) throw new Error(`unknown request ${method}`);
      this.#post({ type: 'result', id, result: await handler(params, source.token) });
    } catch (error) {
      if (!(error instanceof UserError))
        this.#log(error instanceof Error ? (error.stack ?? error.message) : `${error}`);
      this.#post({ type: 'error', id, error: describe(error) });
    } finally {
      this.#pending.delete(id);
      source.dispose();
    }
  }

  #post(message: HostMessage): void {
    this.#webview.postMessage(portable(message)).then(undefined, () => {}); // the page is gone, and with it who would care
  }
}

/**
 * The editor passes the whole buffer under a typed array, and a Buffer of Node's as JSON: both become arrays of their own. What
 * the backend answered is often a piece of the message it came in.
 */
function portable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    if (Buffer.isBuffer(value)) return new Uint8Array(value);
    const isWhole = value.byteLength === value.buffer.byteLength;
    return isWhole || value instanceof DataView ? value : (value as Float64Array).slice();
  }
  if (Array.isArray(value)) return value.map(portable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, portable(inner)]));
}

function describe(error: unknown): PanelError {
  if (error instanceof UserError) return { kind: error.kind, message: error.message, hint: error.hint };
  if (error instanceof vscode.CancellationError) return { kind: 'cancelled', message: 'cancelled', hint: '' };
  return { kind: 'bug', message: error instanceof Error ? error.message : String(error), hint: '' };
}
