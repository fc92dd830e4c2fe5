/** An error as the answer to a request: JSON-RPC's `message` is the error's, `data` the rest of it. */
import { z } from '../config/zod.ts';
import { type ErrorKind, exitCodes } from '../errors.ts';

/** JSON-RPC's `code` of every error that a handler throws. */
export const handlerErrorCode = 1;

const kinds = [...(Object.keys(exitCodes) as ErrorKind[]), 'bug'] as const;

export const errorDataSchema = z.object({
  kind: z.enum(kinds),
  /** What to do next; '' when the message says it all. */
  hint: z.string(),
  /** For the log. */
  stack: z.string(),
});
export type ErrorData = z.infer<typeof errorDataSchema>;
