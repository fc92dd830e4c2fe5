/**
 * The run that is debugged, over one line to its process: it is asked as a debugger asks, what happens is told in order, and the end
 * of either, run or line, is told once. Nothing that goes wrong here harms the run: without a debugger it goes on.
 */
import { randomUUID } from 'node:crypto';
import type { z } from '../protocol/config/zod.ts';
import { type DebugEvent, debugRequests } from '../protocol/debug-requests.ts';
import type { RequestDefinition } from '../protocol/rpc/define.ts';
import type { RunMessage } from '../protocol/run-messages.ts';
import type { RunLink } from '../runs/live/link.ts';

export interface Listener {
  onEvent(event: DebugEvent): void;
  /** What the run tells everybody who watches it. */
  onMessage(message: RunMessage): void;
  /** The run has ended, or the line to it: `reason` is '' after its last message. */
  onEnd(reason: string): void;
}

export type Attached = z.infer<(typeof debugRequests)['debug/attach']['result']>;
/** How a stopped run goes on. */
export type Go = z.infer<(typeof debugRequests)['debug/go']['params']>['how'];

export class Debuggee {
  readonly link: RunLink;
  readonly #session: string = randomUUID();
  readonly #listener: Listener;
  readonly #over = new AbortController();
  #attached: Attached | undefined;
  /** What asks the run to go on; events are told once it has been answered. */
  #going: Promise<unknown> = Promise.resolve();

  constructor(link: RunLink, listener: Listener) {
    this.link = link;
    this.#listener = listener;
    link.onMessage((message) => listener.onMessage(message));
    link.onClose((reason) => this.#end(reason));
  }

  get folder(): string {
    return this.link.greeting.opened.folder;
  }

  /** Undefined until attached, and where the run goes without a debugger. */
  get attached(): Attached | undefined {
    return this.#attached;
  }

  /** Waits while the run opens its models. @param stop before the next iteration */
  async attach(stop: boolean, signal: AbortSignal): Promise<Attached> {
    const attached = await this.ask(debugRequests['debug/attach'], { stop }, signal);
    this.#attached = attached;
    this.ask(debugRequests['debug/hold'], {}, this.#over.signal).then(
      // A run that ends says so itself, and closes the line.
      ({ reason }) => setTimeout(() => this.#end(reason), 1000).unref(),
      () => {},
    );
    void this.#tell();
    return attached;
  }

  /** One request of the debugger's session. Rejects with a UserError as the run says it. */
  ask<P extends { session: string }, R>(
    definition: RequestDefinition<P, R>,
    params: Omit<P, 'session'>,
    signal?: AbortSignal,
  ): Promise<R> {
    return this.link.ask(definition, { ...params, session: this.#session } as P, signal);
  }

  /** As `ask`, for what makes the run go on: nothing that comes of it is told before the editor has the answer. */
  async go(how: Go): Promise<void> {
    const asked = this.ask(debugRequests['debug/go'], { how });
    this.#going = asked.catch(() => {}).then(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))));
    await asked;
  }

  /** Leaves; the run goes on. */
  async detach(): Promise<void> {
    if (this.#attached && !this.#over.signal.aborted) {
      await this.ask(debugRequests['debug/detach'], {}).catch(() => {});
    }
    this.#over.abort();
    this.link.close();
  }

  async #tell(): Promise<void> {
    for (let after = 0; !this.#over.signal.aborted; ) {
      const events = await this.ask(debugRequests['debug/events'], { after }, this.#over.signal).catch(() => []);
      if (events.length === 0) return;
      for (const event of events) {
        await this.#going;
        after = event.seq;
        this.#listener.onEvent(event);
      }
    }
  }

  #end(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#listener.onEnd(reason);
  }
}
