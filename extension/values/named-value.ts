/** Which expression a person means: a line of the Variables view, a selection in the editor, or what they type. */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';

/** @param what of a menu of the debugger's views, or nothing. @returns undefined when the person changes their mind */
export async function namedValue(what: unknown): Promise<string | undefined> {
  const variable = variableOf(what);
  if (variable) return expressionOf(variable);
  const editor = vscode.window.activeTextEditor;
  const selected = editor?.document.getText(editor.selection).trim();
  if (selected) return selected;
  const typed = await vscode.window.showInputBox({
    title: vscode.l10n.t('View Value as Heatmap'),
    prompt: vscode.l10n.t('A variable or an expression in the language of the program that is stopped'),
    placeHolder: vscode.l10n.t('for example {0}', 'pred_real_image[0]'),
    value: wordAt(editor),
  });
  return typed?.trim() || undefined;
}

interface Variable {
  readonly name?: unknown;
  readonly evaluateName?: unknown;
}

/** As the editor passes a line of the Variables view, or one of Watch, to a command. */
function variableOf(what: unknown): Variable | undefined {
  if (typeof what !== 'object' || what === null) return undefined;
  const { variable, name, evaluateName } = what as { variable?: unknown } & Variable;
  if (typeof variable === 'object' && variable !== null) return variable as Variable;
  return typeof name === 'string' || typeof evaluateName === 'string' ? { name, evaluateName } : undefined;
}

function expressionOf({ name, evaluateName }: Variable): string {
  if (typeof evaluateName === 'string' && evaluateName !== '') return evaluateName;
  // A name alone is an expression where it can be one: not [0] or a property in brackets.
  if (typeof name === 'string' && /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name)) return name;
  const message = vscode.l10n.t('the debugger gives no expression for {0}', String(name));
  throw new UserError('usage', message, vscode.l10n.t('Type one: DMD: View Value as Heatmap.'));
}

function wordAt(editor: vscode.TextEditor | undefined): string {
  const range = editor?.document.getWordRangeAtPosition(editor.selection.active);
  return range && editor ? editor.document.getText(range) : '';
}
