/** Which model a command is about: that of the view's menu, or one that the person picks. */
import * as vscode from 'vscode';
import { listModels, type ModelInfo } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { modelDescription, originName } from '../views/model-item.ts';

/** Undefined when the person picked none, or was told that there is none. */
export async function targetModel(
  argument: unknown,
  { backend, roots, modelFiles }: Services,
  title: string,
  fits: (info: ModelInfo) => boolean,
): Promise<ModelInfo | undefined> {
  const named = infoOf(argument);
  if (named) return named;
  const models = await backend.request(listModels, { roots: roots.list(), files: modelFiles.paths() });
  const items = models
    .filter((info) => info.problem === '' && fits(info))
    .map((info) => ({ label: info.title, description: modelDescription(info), detail: originName(info.origin), info }));
  if (items.length === 0) {
    vscode.window.showInformationMessage(vscode.l10n.t('There is no model for that yet.'));
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.info;
}

function infoOf(argument: unknown): ModelInfo | undefined {
  return typeof argument === 'object' && argument !== null && 'info' in argument
    ? (argument.info as ModelInfo)
    : undefined;
}
