/** What a request rejects with: the errors of the channel and of the backend's handlers as errors of ours. */
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { UserError } from '../../backend/protocol/errors.ts';
import { errorDataSchema } from '../../backend/protocol/rpc/index.ts';

const reload = 'Reload the window; if that does not help, install the extension again.';

/** A UserError as the backend threw it; what was a bug there is one here, with the backend's stack. */
export function answerError(method: string, error: unknown): Error {
  if (!(error instanceof ResponseError)) return error instanceof Error ? error : new Error(String(error));
  const data = errorDataSchema.safeParse(error.data);
  if (data.success) {
    const { kind, hint, stack } = data.data;
    const cause = new Error(error.message);
    cause.stack = stack;
    const options = stack === '' ? {} : { cause };
    return kind === 'bug' ? new Error(error.message, options) : new UserError(kind, error.message, hint, options);
  }
  if (error.code === ErrorCodes.MethodNotFound) {
    return new UserError('usage', `the backend does not know ${method}`, reload);
  }
  return new Error(`${method}: ${error.message}`, { cause: error });
}

/** The answer is not what the protocol says. */
export function disagreement(method: string, error: { issues: { path: PropertyKey[]; message: string }[] }): UserError {
  const issue = error.issues[0];
  const where = issue?.path.map(String).join('.') || 'the answer';
  return new UserError(
    'usage',
    `the backend's answer to ${method} is not as agreed: ${where}: ${issue?.message}`,
    reload,
  );
}
