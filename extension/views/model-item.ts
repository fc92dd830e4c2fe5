/** A model as a line of the models view. Its `contextValue` (package.json's menus read it) says what can be done with it. */
import * as vscode from 'vscode';
import type { ModelInfo } from '../../backend/protocol/rpc/index.ts';
import { fileSize, line } from './format.ts';

export function originName(origin: ModelInfo['origin']): string {
  const names = {
    builtin: vscode.l10n.t('Built In'),
    run: vscode.l10n.t('From Runs'),
    imported: vscode.l10n.t('Imported'),
    exported: vscode.l10n.t('Exported'),
  };
  return names[origin];
}

export function roleName(role: ModelInfo['role']): string {
  return role === 'teacher' ? vscode.l10n.t('teacher') : vscode.l10n.t('generator');
}

/** Whether it is an export already: a file, or the folder of a text-to-image model. */
export function isOnnx({ model, origin }: ModelInfo): boolean {
  return origin === 'exported' || /\.onnx$/i.test(model);
}

/** `model.<origin>.<role>`, with `.problem` for one that cannot be used and `.onnx` for one that is ONNX already. */
export function modelContext(info: ModelInfo): string {
  const { origin, role, problem } = info;
  return `model.${origin}.${role}${isOnnx(info) ? '.onnx' : ''}${problem === '' ? '' : '.problem'}`;
}

/** "32 × 32 · 1 call · 4.2 MB · generator". */
export function modelDescription(info: ModelInfo): string {
  const [, height, width] = info.imageShape ?? [];
  return line([
    width === undefined ? '' : `${width} × ${height}`,
    info.steps === 1 ? vscode.l10n.t('1 call') : vscode.l10n.t('{0} calls', info.steps),
    fileSize(info.bytes),
    roleName(info.role),
  ]);
}

export function modelItem(info: ModelInfo): vscode.TreeItem {
  const item = new vscode.TreeItem(info.title, vscode.TreeItemCollapsibleState.None);
  const sound = info.problem === '';
  item.id = `${info.origin}:${info.model}`;
  item.description = sound ? modelDescription(info) : info.problem;
  item.tooltip = modelTooltip(info);
  item.contextValue = modelContext(info);
  item.iconPath = sound
    ? new vscode.ThemeIcon(info.role === 'teacher' ? 'mortar-board' : 'sparkle')
    : new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  item.accessibilityInformation = { label: `${info.title}, ${String(item.description).replaceAll(' · ', ', ')}` };
  return item;
}

/** Its texts come from files and are shown as text, never as Markdown. */
function modelTooltip(info: ModelInfo): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  const row = (name: string, value: string) => {
    if (value !== '') tooltip.appendMarkdown('\n\n').appendText(`${name}: ${value}`);
  };
  tooltip.appendMarkdown('**').appendText(info.title).appendMarkdown('**');
  row(vscode.l10n.t('Problem'), info.problem);
  row(vscode.l10n.t('Role'), roleName(info.role));
  row(vscode.l10n.t('Images'), info.imageShape?.join(' × ') ?? '');
  row(vscode.l10n.t('Classes'), info.classes.length > 20 ? String(info.classes.length) : info.classes.join(', '));
  row(vscode.l10n.t('Network calls per image'), String(info.steps));
  row(vscode.l10n.t('Size'), fileSize(info.bytes));
  row(vscode.l10n.t('Run'), info.run ?? '');
  row(vscode.l10n.t('Teacher'), info.teacher ?? '');
  row(vscode.l10n.t('File'), info.model);
  return tooltip;
}
