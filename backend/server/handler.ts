/**
 * How requests are answered: a part of the server exports `registerX(server)` and says there which of the protocol's
 * requests it handles.
 *
 * Params arrive checked against the request's schema. What a handler throws becomes the answer: a UserError as it is,
 * anything else as a bug, with its stack in the log. A cancelled request is answered at once, whether its handler looks at
 * the signal or not; a handler that works for long should look.
 */
import type { NotificationDefinition, RequestDefinition } from '../protocol/rpc/index.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** What can be said to the editor without being asked; nothing happens once it is gone. */
export interface Voice {
  /** What it returns settles when the message has left the process: who says much waits for it. Never rejects. */
  notify<P>(definition: NotificationDefinition<P>, params: P): void | Promise<void>;
  log(level: LogLevel, text: string): void;
}

export interface RequestContext extends Voice {
  /** Aborted when the asker cancels and when the process ends. */
  readonly signal: AbortSignal;
}

export type Handler<P, R> = (params: P, context: RequestContext) => Promise<R> | R;

export interface Server extends Voice {
  /** Throws when the request has a handler already. */
  handle<P, R>(definition: RequestDefinition<P, R>, handler: Handler<P, R>): void;
  /** Called once when the process ends in order, e.g. to end processes of one's own; what it awaits has half a second. */
  onEnd(cleanUp: () => void | Promise<void>): void;
}
