/** One reading of a value: checked before it is asked, ended when the program runs on or takes too long. */
import { UserError } from '../../backend/protocol/errors.ts';
import type { ArrayValue } from '../../backend/protocol/values/value.ts';
import { l10n } from '../l10n.ts';
import type { Debuggee } from './debuggee.ts';
import { sourceFor } from './kinds.ts';
import { longestExpression, readSeconds } from './limits.ts';
import type { ValueQuestion } from './question.ts';

/**
 * @param debuggee undefined: nothing is stopped
 * @throws UserError saying what stands in the way; the program goes on as if nothing had been asked
 */
export async function readValue(debuggee: Debuggee | undefined, question: ValueQuestion): Promise<ArrayValue> {
  if (!debuggee)
    throw new UserError('usage', l10n.t('no program is stopped'), l10n.t('Set a breakpoint and start debugging.'));
  const expression = question.expression.trim();
  const source = sourceFor(debuggee);
  if (!source) {
    const { type, source: file } = debuggee;
    const message = file
      ? l10n.t('values of a program of the debugger {0} in {1} cannot be read', type, file)
      : l10n.t('values of a program of the debugger {0} cannot be read', type);
    throw new UserError('usage', message, l10n.t('Python, JavaScript and runs of DMD Workbench can.'));
  }
  if (expression === '') throw new UserError('usage', l10n.t('there is no expression'), l10n.t('Name a variable.'));
  if (expression.length > longestExpression) {
    const message = l10n.t('the expression is longer than {0} characters', longestExpression);
    throw new UserError('usage', message, l10n.t('Keep the value in a variable of the program.'));
  }
  const change = source.changes(expression);
  if (change !== undefined) {
    const message = l10n.t('`{0}` would change the program ({1})', expression, change);
    throw new UserError('usage', message, l10n.t('Expressions here only look.'));
  }
  return inTime(debuggee, expression, source.read(debuggee, { ...question, expression }));
}

async function inTime(debuggee: Debuggee, expression: string, work: Promise<ArrayValue>): Promise<ArrayValue> {
  const { resumed } = debuggee;
  const runsOn = () =>
    new UserError('cancelled', l10n.t('the program ran on while `{0}` was read', expression), l10n.t('Stop it again.'));
  if (resumed.aborted) throw runsOn();
  let end = () => {};
  const ended = new Promise<never>((_, reject) => {
    const late = () => {
      const message = l10n.t('the debugger did not give `{0}` within {1} s', expression, readSeconds);
      const hint = l10n.t('The program may be busy in another thread; look at a smaller part.');
      reject(new UserError('data', message, hint));
    };
    const timer = setTimeout(late, 1000 * readSeconds);
    const aborted = () => reject(runsOn());
    resumed.addEventListener('abort', aborted);
    end = () => {
      clearTimeout(timer);
      resumed.removeEventListener('abort', aborted);
    };
  });
  return Promise.race([work, ended]).finally(end);
}
