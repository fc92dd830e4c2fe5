/**
 * A click on a run shows it in the monitor that comes and goes, a second one at once keeps that monitor: as in the explorer. The
 * lines' command has no arguments: those of a line that is drawn anew while it is clicked, as a running one is twice a second, are gone by then.
 */
import * as vscode from 'vscode';
import type { RunNode } from './runs-tree.ts';

const doubleClickMilliseconds = 500;

export class PreviewClicks {
  readonly #selected: () => readonly RunNode[];
  #last: { readonly folder: string; readonly at: number } | null = null;

  constructor(selected: () => readonly RunNode[]) {
    this.#selected = selected;
  }

  /** @param node of a menu; a click or Enter leaves it out, and has selected the line */
  async open(node?: RunNode): Promise<void> {
    const { folder } = node ?? this.#selected()[0] ?? {};
    if (folder === undefined) return;
    const now = Date.now();
    const twice = this.#last?.folder === folder && now - this.#last.at < doubleClickMilliseconds;
    this.#last = { folder, at: now };
    await vscode.commands.executeCommand('dmd.openMonitor', { folder, preview: !twice });
  }
}
