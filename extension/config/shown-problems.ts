/** Which mistakes in a config are shown, and by whom, so that each is shown once. No `vscode` in here. */
import type { ConfigProblem } from '../../backend/protocol/rpc/index.ts';

/** What the editor's own JSON support marks too. The schema that it gets refuses nothing, so that this is all. */
const ofTheSyntax: readonly ConfigProblem['code'][] = ['syntax', 'repeated-key'];

/** @param besideJson whether the editor's own JSON support marks mistakes in this text */
export function shownProblems(problems: readonly ConfigProblem[], besideJson: boolean): readonly ConfigProblem[] {
  return besideJson ? problems.filter(({ code }) => !ofTheSyntax.includes(code)) : problems;
}
