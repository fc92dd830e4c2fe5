/** Arrays of a Python program, through debugpy or whatever adapter evaluates Python. */
import { evaluateReader } from '../evaluate.ts';
import { literal, questionLiteral, type ValueQuestion } from '../question.ts';
import { withoutStrings } from '../strings.ts';
import type { ValueSource } from '../value-source.ts';
import { pythonReader } from './reader.ts';

export const pythonSource: ValueSource = {
  changes: (expression) => (/:=/.test(withoutStrings(expression, /#.*/g)) ? ':=' : undefined),
  read: (debuggee, question) => evaluateReader(debuggee, question.expression, pythonExpression(question)),
};

/**
 * One expression: runs the reader's definitions in a dictionary of their own and calls `read`. The person's expression is an
 * argument, so it is evaluated in the frame like any watched expression; the line break ends a comment in it.
 */
export function pythonExpression(question: ValueQuestion): string {
  const reader = `(lambda space: (exec(${literal(pythonReader)}, space), space['read'])[1])({'__name__': 'dmd_reader'})`;
  return `${reader}((${question.expression}\n), ${questionLiteral(question)})`;
}
