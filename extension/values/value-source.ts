/** Where arrays come from; kinds.ts has one for each kind of program. */
import type { ArrayValue } from '../../backend/protocol/values/value.ts';
import type { Debuggee } from './debuggee.ts';
import type { ValueQuestion } from './question.ts';

export interface ValueSource {
  /** What in the person's expression would change the program, in words; undefined when nothing is seen. */
  changes(expression: string): string | undefined;
  /**
   * Reads an array of a stopped program, which it leaves as it was. The caller brings the limit of time.
   * @throws UserError with what the program says instead; else what the debugger said
   */
  read(debuggee: Debuggee, question: ValueQuestion): Promise<ArrayValue>;
}
