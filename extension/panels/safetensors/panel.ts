/** One safetensors file: passes the page's questions on to the backend, with the file's path. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../../backend/protocol/errors.ts';
import { openFile, readHistogram } from '../../../backend/protocol/panels/safetensors.ts';
import { readArray, savePicture } from '../../../backend/protocol/panels/value.ts';
import { countWeights, describeWeights, readWeights } from '../../../backend/protocol/rpc/weights.ts';
import type { Services } from '../../services.ts';
import { saveBytes } from '../monitor/export.ts';
import { Page } from '../page.ts';
import { safetensorsTexts } from './texts.ts';

export function openSafetensors(panel: vscode.WebviewPanel, uri: vscode.Uri, services: Services): void {
  const { backend } = services;
  const initial = { texts: safetensorsTexts(), file: basename(uri.path) };
  const { channel } = new Page(panel, services, { name: 'safetensors', initial });
  channel.handle(openFile, (_, token) => backend.request(describeWeights, { path: pathOf(uri) }, token));
  channel.handle(readArray, ({ expression, ...question }, token) =>
    backend.request(readWeights, { path: pathOf(uri), name: expression, ...question }, token),
  );
  channel.handle(readHistogram, (question, token) =>
    backend.request(countWeights, { path: pathOf(uri), ...question }, token),
  );
  channel.handle(savePicture, ({ name, png }) => saveBytes(basename(name), { PNG: ['png'] }, async () => png));
}

/** The backend reads files of this machine. */
function pathOf(uri: vscode.Uri): string {
  if (uri.scheme === 'file') return uri.fsPath;
  throw new UserError(
    'usage',
    vscode.l10n.t('{0} is not a file on this machine', uri.toString()),
    vscode.l10n.t('Save a copy of it, and open that.'),
  );
}
