/** The program that the editor speaks to: `dmd debug-adapter` on the Node of the backend's choosing. */
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { editorNode } from '../backend/editor-node.ts';

export async function adapterOf(extensionUri: vscode.Uri): Promise<vscode.DebugAdapterExecutable> {
  const { path, environment } = await editorNode();
  const program = vscode.Uri.joinPath(extensionUri, 'dist', 'dmd.js').fsPath;
  return new vscode.DebugAdapterExecutable(path, [program, 'debug-adapter'], {
    env: { ...environment },
    cwd: homedir(), // a current folder cannot be deleted on Windows
  });
}
