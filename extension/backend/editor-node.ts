/** Which Node this editor runs our programs with. */
import * as vscode from 'vscode';
import { chooseNode, type NodeChoice } from './node-choice.ts';

/** Throws a UserError that names the setting when it is no use. In an untrusted workspace its setting is not looked at. */
export function editorNode(): Promise<NodeChoice> {
  return chooseNode({
    setting: vscode.workspace.getConfiguration('dmd').get<string>('nodePath') ?? '',
    searchPath: process.env.PATH ?? '',
    own: { path: process.execPath, version: process.versions.node },
  });
}
