/** The Markdown or HTML file that the person worked in last: a panel that is clicked takes the focus from it. */
import * as vscode from 'vscode';
import { isInsertable } from './insertion.ts';

export class ActiveDocument implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable[];
  #editor: vscode.TextEditor | null = null;
  #selection: vscode.Selection | null = null;

  /** Another document, or none. */
  readonly onDidChange = this.#changed.event;

  constructor() {
    const { window, workspace } = vscode;
    this.#look(window.activeTextEditor ?? window.visibleTextEditors.find(canTake));
    this.#subscriptions = [
      this.#changed,
      window.onDidChangeActiveTextEditor((editor) => this.#look(editor)),
      window.onDidChangeTextEditorSelection(({ textEditor, selections }) => {
        if (textEditor === this.#editor) this.#selection = selections[0] ?? null;
      }),
      workspace.onDidCloseTextDocument((document) => {
        if (document !== this.#editor?.document) return;
        this.#editor = null;
        this.#changed.fire();
      }),
    ];
  }

  get document(): vscode.TextDocument | null {
    return this.#editor?.document ?? null;
  }

  /** Where the cursor is, or was. */
  get selection(): vscode.Selection {
    return this.#selection ?? new vscode.Selection(0, 0, 0, 0);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** An editor without text, such as a panel, leaves it as it is. */
  #look(editor: vscode.TextEditor | undefined): void {
    if (!editor) return;
    const next = canTake(editor) ? editor : null;
    if (next === this.#editor) return;
    this.#editor = next;
    this.#selection = next?.selection ?? null;
    this.#changed.fire();
  }
}

function canTake({ document }: vscode.TextEditor): boolean {
  return isInsertable(document.languageId) && document.uri.scheme !== 'output';
}
