/** Completes what a schema cannot know: names of models, and files and folders that are there. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';

export class NameCompletions implements vscode.CompletionItemProvider {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  async provideCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.CompletionItem[]> {
    const [{ nameAt }, { candidates }] = await Promise.all([import('./name-at.ts'), import('./name-candidates.ts')]);
    const at = nameAt(document.getText(), document.offsetAt(position));
    if (!at) return [];
    const range = new vscode.Range(document.positionAt(at.offset), document.positionAt(at.offset + at.length));
    return (await candidates(at, document.uri.fsPath, this.#services, token)).map((candidate) => {
      const quoted = JSON.stringify(candidate.name);
      const kind = candidate.isFolder ? vscode.CompletionItemKind.Folder : vscode.CompletionItemKind.File;
      const item = new vscode.CompletionItem({ label: quoted, description: candidate.detail }, kind);
      item.range = range;
      item.filterText = quoted;
      return item;
    });
  }
}
