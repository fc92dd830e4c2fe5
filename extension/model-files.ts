/** The model files that the person imported or exported: a list of paths that outlives the window. */
import * as vscode from 'vscode';

const key = 'dmd.modelFiles';

export class ModelFiles {
  readonly #memory: vscode.Memento;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(context: vscode.ExtensionContext) {
    this.#memory = context.globalState;
    context.subscriptions.push(this.#changed);
  }

  /** What `models/list` takes as `files`. */
  paths(): string[] {
    return this.#memory.get<string[]>(key, []);
  }

  async add(file: string): Promise<void> {
    await this.#write([...this.paths().filter((path) => path !== file), file]);
  }

  /** Off the list; the file stays where it is. */
  async remove(file: string): Promise<void> {
    await this.#write(this.paths().filter((path) => path !== file));
  }

  async #write(paths: string[]): Promise<void> {
    await this.#memory.update(key, paths);
    this.#changed.fire();
  }
}
