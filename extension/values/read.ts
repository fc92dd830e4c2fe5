/** One reading of a value: checked before it is asked, ended when the program runs on or takes too long. */
import { UserError } from '../../backend/protocol/errors.ts';
import type { ArrayValue } from '../../backend/protocol/values/value.ts';
import type { Debuggee } from './debuggee.ts';
import { sourceFor } from './kinds.ts';
import { longestExpression, readSeconds } from './limits.ts';
import type { ValueQuestion } from './question.ts';

/**
 * @param debuggee undefined: nothing is stopped
 * @throws UserError saying what stands in the way; the program goes on as if nothing had been asked
 */
export async function readValue(debuggee: Debuggee | undefined, question: ValueQuestion): Promise<ArrayValue> {
  if (!debuggee) throw new UserError('usage', 'no program is stopped', 'Set a breakpoint and start debugging.');
  const expression = question.expression.trim();
  const source = sourceFor(debuggee);
  if (!source) {
    const where = debuggee.source ? ` in ${debuggee.source}` : '';
    const message = `values of a program of the debugger ${debuggee.type}${where} cannot be read`;
    throw new UserError('usage', message, 'Python, JavaScript and runs of DMD Workbench can.');
  }
  if (expression === '') throw new UserError('usage', 'there is no expression', 'Name a variable.');
  if (expression.length > longestExpression) {
    const message = `the expression is longer than ${longestExpression} characters`;
    throw new UserError('usage', message, 'Keep the value in a variable of the program.');
  }
  const change = source.changes(expression);
  if (change !== undefined) {
    const message = `\`${expression}\` would change the program (${change})`;
    throw new UserError('usage', message, 'Expressions here only look.');
  }
  return inTime(debuggee, expression, source.read(debuggee, { ...question, expression }));
}

async function inTime(debuggee: Debuggee, expression: string, work: Promise<ArrayValue>): Promise<ArrayValue> {
  const { resumed } = debuggee;
  const runsOn = () =>
    new UserError('cancelled', `the program ran on while \`${expression}\` was read`, 'Stop it again.');
  if (resumed.aborted) throw runsOn();
  let end = () => {};
  const ended = new Promise<never>((_, reject) => {
    const late = () => {
      const message = `the debugger did not give \`${expression}\` within ${readSeconds} s`;
      reject(new UserError('data', message, 'The program may be busy in another thread; look at a smaller part.'));
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
