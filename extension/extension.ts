/**
 * The extension's entry point: registers what package.json contributes.
 *
 * It computes nothing. Everything that does runs as a process of its own, the bundled `dmd` command, on the Node that the
 * person chose.
 */
import * as vscode from 'vscode';
import { showDevices } from './commands/show-devices.ts';

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(vscode.commands.registerCommand('dmd.showDevices', () => showDevices(context)));
}
