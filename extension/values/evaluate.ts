/** Has the debugger evaluate a reader's expression in the frame where the program stands. */
import { z } from '../../backend/protocol/config/zod.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import type { ArrayValue } from '../../backend/protocol/values/value.ts';
import { l10n } from '../l10n.ts';
import { understand } from './answer.ts';
import type { Debuggee } from './debuggee.ts';

const evaluated = z.object({ result: z.string() });

/**
 * The context `clipboard` is the one in which adapters give a string whole: in others debugpy cuts it at 65,538 characters and
 * js-debug at 100,000.
 */
export async function evaluateReader(debuggee: Debuggee, expression: string, reader: string): Promise<ArrayValue> {
  const { frameId } = debuggee;
  const answer = await debuggee.request('evaluate', { expression: reader, frameId, context: 'clipboard' }).catch(fail);
  const body = evaluated.safeParse(answer);
  if (!body.success)
    throw new UserError('data', l10n.t('the debugger {0} gave no value of `{1}`', debuggee.type, expression));
  return understand(expression, body.data.result);

  function fail(error: unknown): never {
    throw evaluationError(debuggee.type, expression, error instanceof Error ? error.message : String(error));
  }
}

/** What a debugger says when it does not know a request: each says it otherwise. */
const unknownRequest =
  /(unrecogni[sz]ed|unknown|unsupported|unhandled|unimplemented)\b.*\b(request|command)|not (supported|implemented)/i;

/** @param said the adapter's words, in which a Python traceback stands whole */
export function evaluationError(type: string, expression: string, said: string): UserError {
  if (unknownRequest.test(said)) {
    return new UserError(
      'data',
      l10n.t('the debugger {0} cannot evaluate expressions ({1})', type, said),
      l10n.t('Values are read that way.'),
    );
  }
  return new UserError('data', l10n.t('`{0}` cannot be evaluated here: {1}', expression, lastLine(said)), '');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!.trim();
}
