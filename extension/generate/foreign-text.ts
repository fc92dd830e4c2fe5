/** What is said when a picture of another program is restored. */
import * as vscode from 'vscode';
import type { ForeignPicture } from '../../backend/protocol/rpc/images.ts';
import { drawableSeed } from './form.ts';

/** @returns null where there is nothing to restore */
export function foreignText({ program, prompt, seed }: ForeignPicture, name: string): string | null {
  const { t } = vscode.l10n;
  const isDrawable = drawableSeed(seed) !== null;
  if (prompt === null) {
    return isDrawable ? t('{0} was made by {1}. Its seed was restored, nothing else.', name, program) : null;
  }
  if (isDrawable) return t('{0} was made by {1}. Its prompt and seed were restored, nothing else.', name, program);
  if (seed === null) return t('{0} was made by {1}. Its prompt was restored, nothing else.', name, program);
  return t('{0} was made by {1}. Its prompt was restored; its seed {2} is too large here.', name, program, seed);
}
