/** Read-only documents that hold configs with every default filled in; nothing is written to disk. */
import * as vscode from 'vscode';

const scheme = 'dmd-resolved';

export class ResolvedConfigs implements vscode.TextDocumentContentProvider {
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  /** Document shown -> what it is made from. */
  readonly #followed = new Map<string, { readonly source: vscode.Uri; readonly text: () => string }>();

  constructor(context: vscode.ExtensionContext) {
    context.subscriptions.push(
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#update(document.uri)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#forget(uri)),
    );
  }

  /** A text that stays as it is. */
  put(name: string, text: string): vscode.Uri {
    return this.#put(`/run/${name}`, text);
  }

  /** A text made from a document, and made again when that changes; while `text` throws, the last one stays. */
  follow(document: vscode.TextDocument, text: () => string): vscode.Uri {
    const uri = this.#put(
      `/config/${document.uri.path.replace(/^\//, '').replace(/(\.dmd)?\.json$/, '.json')}`,
      text(),
    );
    this.#followed.set(uri.toString(), { source: document.uri, text });
    return uri;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  #put(path: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme, path });
    this.#texts.set(uri.toString(), text);
    this.#changed.fire(uri);
    return uri;
  }

  #update(source: vscode.Uri): void {
    for (const [key, { source: followed, text }] of this.#followed) {
      if (followed.toString() !== source.toString()) continue;
      try {
        this.#texts.set(key, text());
      } catch {
        continue; // half typed: its mistakes are marked where it is typed
      }
      this.#changed.fire(vscode.Uri.parse(key));
    }
  }

  #forget(uri: vscode.Uri): void {
    if (uri.scheme !== scheme) return;
    this.#texts.delete(uri.toString());
    this.#followed.delete(uri.toString());
  }
}
