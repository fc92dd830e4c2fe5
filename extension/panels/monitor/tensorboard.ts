/** TensorBoard beside the run: a program of the person's, started in a terminal where they see and end it. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../../backend/protocol/errors.ts';

/** Throws UserError when it is not on the PATH. */
export async function showTensorBoard(folder: string): Promise<void> {
  const program = await findOnPath('tensorboard');
  if (program === undefined) {
    throw new UserError(
      'usage',
      vscode.l10n.t('TensorBoard is not on the PATH'),
      vscode.l10n.t('Install it with `pip install tensorboard`, then start the editor from where it is found.'),
    );
  }
  // The program itself, not a shell: nothing in the path can be read as a command.
  const terminal = vscode.window.createTerminal({
    name: 'TensorBoard',
    shellPath: program,
    shellArgs: ['--logdir', join(folder, 'events')],
  });
  terminal.show();
}

async function findOnPath(name: string): Promise<string | undefined> {
  const endings = process.platform === 'win32' ? ['.exe'] : [''];
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    for (const ending of endings) {
      const file = join(folder, name + ending);
      const found = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return file;
    }
  }
  return undefined;
}
