/** Pictures leave the panel: into files of the person's choice, and into their documents. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Side } from '../../backend/protocol/panels/generate.ts';
import type { ActiveDocument } from './active-document.ts';
import { isInsertable, linkPath, pictureFolder, pictureMarkup, pictureName, unusedFile } from './insertion.ts';
import { withoutText } from './png-text.ts';

export interface Shown {
  readonly side: Side;
  readonly index: number;
  readonly png: Uint8Array;
}

const { l10n } = vscode;

/** Asks where to. Answers how many were saved. */
export async function savePicture(shown: Shown): Promise<number> {
  const defaultUri = vscode.Uri.joinPath(startFolder(), `${nameOf(shown)}.png`);
  const target = await vscode.window.showSaveDialog({ defaultUri, filters: { PNG: ['png'] } });
  if (!target) return 0;
  await write(target, shown.png);
  return 1;
}

/** Asks for a folder; files that are there stay. */
export async function savePictures(pictures: readonly Shown[]): Promise<number> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      ...{ canSelectFiles: false, canSelectFolders: true, defaultUri: startFolder() },
      openLabel: l10n.t('Save Images Here'),
    })) ?? [];
  if (!folder) return 0;
  for (const shown of pictures) await write(vscode.Uri.file(unusedFile(folder.fsPath, nameOf(shown))), shown.png);
  return pictures.length;
}

/** Writes the file beside the document and the link at its cursor. Answers with the link's path. */
export async function insertPicture(shown: Shown, active: ActiveDocument): Promise<string> {
  const { document } = active;
  if (!document || !isInsertable(document.languageId)) {
    const hint = l10n.t('Open the file, put the cursor where the image should go, and insert again.');
    throw new UserError('usage', l10n.t('No Markdown or HTML file is open'), hint);
  }
  if (document.isUntitled || document.uri.scheme !== 'file') {
    const hint = l10n.t('The image goes into a folder beside it.');
    throw new UserError('usage', l10n.t('Save {0} first', document.fileName), hint);
  }
  const named = vscode.workspace.getConfiguration('dmd.images', document.uri).get('folder', 'images');
  const root = vscode.workspace.getWorkspaceFolder(document.uri)?.uri.fsPath ?? null;
  const folder = pictureFolder(document.uri.fsPath, named, root);
  const file = unusedFile(folder, nameOf(shown));
  await write(vscode.Uri.file(file), shown.png);
  const path = linkPath(document.uri.fsPath, file);
  const { width, height } = shown.side;
  const markup = pictureMarkup(document.languageId, { path, description: descriptionOf(shown), width, height });
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, document.validateRange(active.selection), markup);
  if (await vscode.workspace.applyEdit(edit)) return path;
  const hint = l10n.t('The image is saved as {0}.', file);
  throw new UserError('io', l10n.t('{0} could not be changed', document.fileName), hint);
}

async function write(target: vscode.Uri, png: Uint8Array): Promise<void> {
  const metadata = vscode.workspace.getConfiguration('dmd.images').get('metadata', true);
  try {
    // Makes the folders above it.
    await vscode.workspace.fs.writeFile(target, metadata ? png : withoutText(png));
  } catch (cause) {
    const message = l10n.t('{0} could not be written: {1}', target.fsPath, (cause as Error).message);
    throw new UserError('io', message, l10n.t('Choose another place.'), { cause });
  }
}

function nameOf({ side, index }: Shown): string {
  const { seed, className } = side.images[index]!;
  return pictureName({ model: side.settings.model, className, seed });
}

function descriptionOf({ side, index }: Shown): string {
  const { seed, className } = side.images[index]!;
  return [side.settings.prompt ?? className, `${side.title}, seed ${seed}`].filter(Boolean).join(', ');
}

function startFolder(): vscode.Uri {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  return folder?.uri ?? vscode.Uri.file(join(process.env.HOME ?? process.env.USERPROFILE ?? '/'));
}
