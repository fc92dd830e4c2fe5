/** What a handler of a request gets, and how it reads its arguments. */
import type { z } from '../protocol/config/zod.ts';
import { AdapterError } from './errors.ts';
import type { Progress } from './progress.ts';

/** The editor, as a handler sees it. */
export interface Client {
  tell(event: string, body?: object): void;
  /** As it calls itself, e.g. `vscode`; '' where it does not. */
  name(): string;
  readonly progress: Progress;
  /** Lines are from 1 on here, and from 0 or 1 on there. */
  line(line: number): number;
  fromLine(line: number): number;
}

export interface RequestContext {
  /** Aborted when the editor cancels the request, or has gone. */
  readonly signal: AbortSignal;
}

/** Resolves to the response's body. Throws an AdapterError, or what the run threw. */
export type Handler = (args: object, context: RequestContext) => Promise<object | undefined> | object | undefined;
export type Handlers = Readonly<Record<string, Handler>>;

/** A handler that gets its arguments checked. */
export function checked<T>(
  request: string,
  schema: z.ZodType<T>,
  handle: (args: T, context: RequestContext) => Promise<object | undefined> | object | undefined,
): Handlers {
  return {
    [request]: (args, context) => {
      const { success, data, error } = schema.safeParse(args);
      if (success) return handle(data, context);
      const [{ path, message: problem } = { path: [], message: '' }] = error.issues;
      throw new AdapterError('badArguments', { request, where: path.map(String).join('.') || 'arguments', problem });
    },
  };
}
