/** Arrays of a JavaScript program, in Node or a browser, through js-debug. */
import { evaluateReader } from '../evaluate.ts';
import { questionLiteral, type ValueQuestion } from '../question.ts';
import { withoutStrings } from '../strings.ts';
import type { ValueSource } from '../value-source.ts';
import { javascriptReader } from './reader.ts';

/** An `=` that is neither a comparison nor an arrow, and what counts up or down. */
const assignment = /(?<![=!<>])=(?![=>])|\+\+|--|\bdelete\b/;

export const javascriptSource: ValueSource = {
  changes: (expression) => withoutStrings(expression, /\/\/.*|\/\*[\s\S]*?\*\//g).match(assignment)?.[0],
  read: (debuggee, question) => evaluateReader(debuggee, question.expression, javascriptExpression(question)),
};

/** One expression; the line break ends a comment in the person's. */
export function javascriptExpression(question: ValueQuestion): string {
  return `(${javascriptReader})((${question.expression}\n), ${questionLiteral(question)})`;
}
