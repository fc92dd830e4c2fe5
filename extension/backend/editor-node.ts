/** Which Node this editor runs our programs with. */
import * as vscode from 'vscode';
import { settingPath } from '../setting-path.ts';
import { chooseNode, type NodeChoice } from './node-choice.ts';

/** Throws a UserError that names the setting when it is no use. In an untrusted workspace its setting is not looked at. */
export async function editorNode(): Promise<NodeChoice> {
  const settings = vscode.workspace.getConfiguration('dmd');
  const choice = await chooseNode({
    setting: settings.get<string>('nodePath') ?? '',
    searchPath: process.env.PATH ?? '',
    own: { path: process.execPath, version: process.versions.node },
  });
  const openVino = settings.get<string>('openvinoPath')?.trim() ?? '';
  if (openVino === '') return choice;
  const named = { DMD_OPENVINO: settingPath('dmd.openvinoPath', openVino, null) };
  return { ...choice, environment: { ...choice.environment, ...named } };
}
