/** What brings panels back after a reload of the window. Loaded at activation: see services.ts. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';

/**
 * @param what failed, should it fail, as in Errors.show
 * @param restore takes the panel and what its page saved, which may be anything
 */
export function restored(
  viewType: string,
  what: string,
  { errors }: Services,
  restore: (panel: vscode.WebviewPanel, state: unknown) => Promise<void>,
): vscode.Disposable {
  return vscode.window.registerWebviewPanelSerializer(viewType, {
    async deserializeWebviewPanel(panel, state) {
      await errors.guard(what, () => restore(panel, state));
    },
  });
}
