/** What starts or computes something needs a trusted workspace, whatever panel asks for it. */
import * as vscode from 'vscode';
import { Mendable, manageTrust } from '../mend.ts';

/** Throws UserError('usage') in a workspace that is not trusted. */
export function checkTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new Mendable(
    'usage',
    vscode.l10n.t('nothing runs in a folder that is not trusted'),
    vscode.l10n.t('Trust the workspace first.'),
    [manageTrust()],
  );
}
