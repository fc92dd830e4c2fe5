/**
 * The adapter as an editor speaks to it: requests come in, every one is answered once, with a body or an error of errors.ts. What
 * each does is in the files beside this one; they know neither sequence numbers nor responses.
 */
import { CapabilitiesEvent, DebugSession, Event, Response } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from '../protocol/config/zod.ts';
import { capabilities } from './capabilities.ts';
import { AdapterError, errorBody } from './errors.ts';
import { Progress } from './progress.ts';
import type { Client, Handlers } from './request.ts';

/** Makes what answers the requests of one session. */
export type MakeHandlers = (client: Client) => { readonly handlers: Handlers; end(): void };

/** Errors of these are shown by the editor where it asked. */
const quiet: ReadonlySet<string> = new Set([
  'evaluate',
  'completions',
  'dataBreakpointInfo',
  'setBreakpoints',
  'source',
]);

const cancelSchema = z.object({ requestId: z.number().optional(), progressId: z.string().optional() });

export class DmdDebugSession extends DebugSession {
  readonly #handlers: Handlers;
  readonly #end: () => void;
  readonly #open = new Map<number, AbortController>();
  readonly #progress: Progress;
  #name = '';

  constructor(make: MakeHandlers) {
    super(true); // our lines begin at 1
    this.#progress = new Progress((event, body) => this.#tell(event, body));
    const { handlers, end } = make({
      tell: (event, body) => this.#tell(event, body),
      name: () => this.#name,
      progress: this.#progress,
      line: (line) => this.convertDebuggerLineToClient(line),
      fromLine: (line) => this.convertClientLineToDebugger(line),
    });
    this.#handlers = handlers;
    this.#end = end;
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    if (request.command === 'initialize') super.dispatchRequest(request);
    else if (request.command === 'cancel') this.#cancel(request);
    else void this.#answer(request);
  }

  protected override initializeRequest(
    response: DebugProtocol.InitializeResponse,
    args: DebugProtocol.InitializeRequestArguments,
  ): void {
    this.#name = args.clientID ?? '';
    response.body = capabilities;
    this.sendResponse(response);
  }

  /** The editor has gone, or said goodbye. */
  override shutdown(): void {
    for (const abort of this.#open.values()) abort.abort();
    this.#end();
    super.shutdown();
  }

  async #answer(request: DebugProtocol.Request): Promise<void> {
    const { seq, command } = request;
    const response: DebugProtocol.Response = new Response(request);
    const abort = new AbortController();
    if (command === 'disconnect') for (const other of this.#open.values()) other.abort();
    this.#open.set(seq, abort);
    try {
      const handler = Object.hasOwn(this.#handlers, command) ? this.#handlers[command] : undefined;
      if (!handler) throw new AdapterError('unknownRequest', { request: command });
      const body = await handler(request.arguments ?? {}, { signal: abort.signal });
      if (body) response.body = body;
    } catch (error) {
      response.success = false;
      const message = errorBody(abort.signal.aborted ? new AdapterError('cancelled') : error, quiet.has(command));
      response.message = abort.signal.aborted ? 'cancelled' : spelled(message);
      response.body = { error: message };
    } finally {
      this.#open.delete(seq);
    }
    this.sendResponse(response);
    if (command === 'disconnect') this.shutdown();
  }

  #cancel(request: DebugProtocol.Request): void {
    const { data } = cancelSchema.safeParse(request.arguments ?? {});
    if (data?.requestId !== undefined) this.#open.get(data.requestId)?.abort();
    if (data?.progressId !== undefined) this.#progress.cancel(data.progressId);
    this.sendResponse(new Response(request));
  }

  #tell(event: string, body?: object): void {
    this.sendEvent(event === 'capabilities' ? new CapabilitiesEvent(body ?? {}) : new Event(event, body));
  }
}

function spelled({ format, variables = {} }: DebugProtocol.Message): string {
  return format.replace(/\{(\w+)\}/g, (_, key: string) => variables[key] ?? '').trim();
}
