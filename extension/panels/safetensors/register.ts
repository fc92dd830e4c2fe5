/** safetensors files open in a viewer, which changes nothing. */
import * as vscode from 'vscode';
import type { Services } from '../../services.ts';
import { safetensorsViewType } from './view-type.ts';

export function registerSafetensors(context: vscode.ExtensionContext, services: Services): void {
  context.subscriptions.push(
    vscode.window.registerCustomEditorProvider(safetensorsViewType, {
      openCustomDocument: (uri) => ({ uri, dispose() {} }),
      async resolveCustomEditor({ uri }, panel) {
        const { openSafetensors } = await import('./panel.ts');
        openSafetensors(panel, uri, services);
      },
    } satisfies vscode.CustomReadonlyEditorProvider),
  );
}
