/** Buttons of errors that lead to where they can be mended. */
import * as vscode from 'vscode';
import { type ErrorKind, UserError } from '../backend/protocol/errors.ts';

export interface Mend {
  readonly title: string;
  run(): unknown;
}

/** An error that knows its own way out. */
export class Mendable extends UserError {
  readonly mends: readonly Mend[];

  constructor(kind: ErrorKind, message: string, hint: string, mends: readonly Mend[]) {
    super(kind, message, hint);
    this.mends = mends;
  }
}

/** A setting of ours, as messages name it in any language. */
const settingName = /\bdmd\.[a-z][\w]*(?:\.[a-z]\w*)*/;

/** What the error knows; and whatever says the name of a setting leads there. */
export function mendsOf(error: unknown): readonly Mend[] {
  if (error instanceof Mendable) return error.mends;
  if (!(error instanceof UserError)) return [];
  const [setting] = settingName.exec(`${error.message} ${error.hint}`) ?? [];
  return setting === undefined || setting.startsWith('dmd.json') ? [] : [openSettings(setting)];
}

export function openSettings(setting: string): Mend {
  return button(vscode.l10n.t('Open Settings'), 'workbench.action.openSettings', setting);
}

export function manageTrust(): Mend {
  return button(vscode.l10n.t('Manage Trust'), 'workbench.trust.manage');
}

export function openFolder(): Mend {
  return button(vscode.l10n.t('Open Folder'), 'workbench.action.files.openFolder');
}

/** What did not work in one folder is tried in another. @param open says for what it is chosen, on the button that takes it */
export function chooseFolder(open: string, tryIn: (folder: string) => unknown): Mend {
  return {
    title: vscode.l10n.t('Choose Folder…'),
    run: async () => {
      const options = { canSelectFiles: false, canSelectFolders: true, openLabel: open };
      const [folder] = (await vscode.window.showOpenDialog(options)) ?? [];
      if (folder) await tryIn(folder.fsPath);
    },
  };
}

/** Of a file, which is opened first: the view shows the marks of open files. */
export function showProblems(file: vscode.Uri): Mend {
  return {
    title: vscode.l10n.t('Show Problems'),
    run: async () => {
      await vscode.window.showTextDocument(file);
      await vscode.commands.executeCommand('workbench.actions.view.problems');
    },
  };
}

function button(title: string, command: string, ...values: unknown[]): Mend {
  return { title, run: () => vscode.commands.executeCommand(command, ...values) };
}
