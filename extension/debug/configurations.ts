/** What a debug configuration means: completed from what is open, with whole paths, and those that there could be. */
import { homedir } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
import * as vscode from 'vscode';
import { configOfListing } from '../../backend/protocol/listing-uri.ts';
import { expandPath } from '../../backend/protocol/path-text.ts';
import { targetRuns } from '../commands/run-targets.ts';
import { isConfig, nameFromFile } from '../config/config-files.ts';
import { Mendable, openFolder } from '../mend.ts';
import type { Services } from '../services.ts';

const type = 'dmd';
const mostConfigs = 100;

/** F5 where no launch.json says what to do debugs what is open. @returns undefined when there is nothing to debug */
export async function completed(
  config: vscode.DebugConfiguration,
  services: Services,
): Promise<vscode.DebugConfiguration | undefined> {
  if (config.request === 'attach') return attaching(config, services);
  if (config.config !== undefined || config.resume !== undefined) return config;
  const file = openConfig();
  if (file === undefined) {
    vscode.window.showInformationMessage(
      vscode.l10n.t('Open a run config (a file NAME.dmd.json) and press F5, or add a configuration to launch.json.'),
    );
    return undefined;
  }
  return { ...config, ...launching(file) };
}

export function launching(file: string): vscode.DebugConfiguration {
  return { type, request: 'launch', name: nameFromFile(file), config: file };
}

/** Saves a config that has changes, because the run's folder names it as where it came from. */
export async function withPaths(
  config: vscode.DebugConfiguration,
  folder: vscode.WorkspaceFolder | undefined,
  services: Services,
): Promise<vscode.DebugConfiguration | undefined> {
  const base = (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath;
  const whole = (key: string) => {
    const value: unknown = config[key];
    return typeof value === 'string' ? { [key]: absolute(key, value, base) } : {};
  };
  const paths: Record<string, string> = Object.assign({}, ...['config', 'resume', 'out', 'run'].map(whole));
  if (paths.config !== undefined && config.request === 'launch') {
    const uri = vscode.Uri.file(paths.config);
    const open = vscode.workspace.textDocuments.find(({ uri: { fsPath } }) => fsPath === uri.fsPath);
    if (open?.isDirty && !(await open.save())) return undefined;
    paths.out ??= services.roots.forNewRun(uri);
  }
  return { ...config, ...paths };
}

/** One for every config of the workspace; copies in run folders are none. */
export async function configsOfWorkspace(
  services: Services,
  folder: vscode.WorkspaceFolder | undefined,
  token: vscode.CancellationToken | undefined,
): Promise<vscode.DebugConfiguration[]> {
  const pattern = folder ? new vscode.RelativePattern(folder, '**/*.dmd.json') : '**/*.dmd.json';
  const found = await vscode.workspace.findFiles(pattern, '**/node_modules/**', mostConfigs, token);
  const roots = services.roots.list();
  const configs = found.filter(({ fsPath }) => !roots.some((root) => fsPath.startsWith(root)));
  const attach = { type, request: 'attach', name: vscode.l10n.t('Attach to a running run') };
  return [...configs.map(({ fsPath }) => launching(fsPath)), attach];
}

/** The config in the active editor, or the one whose algorithm is. */
export function openConfig(given?: unknown): string | undefined {
  const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
  if (!uri) return undefined;
  if (isConfig(uri) && uri.scheme === 'file') return uri.fsPath;
  return configOfListing(uri.toString());
}

async function attaching(config: vscode.DebugConfiguration, services: Services) {
  if (config.run !== undefined) return config;
  const [run] = await targetRuns([], services.runs, {
    fits: ({ process }) => process?.reachable === true,
    title: vscode.l10n.t('Attach Debugger to Run'),
    none: vscode.l10n.t('No run is running that can be reached from here.'),
  });
  return run ? { ...config, run: run.folder, name: `${config.name ?? ''} (${run.name})`.trim() } : undefined;
}

function absolute(key: string, text: string, base: string | undefined): string {
  const path = expandPath(text, homedir());
  if (isAbsolute(path)) return path;
  if (base !== undefined) return resolve(base, path);
  const message = vscode.l10n.t('"{0}" of the debug configuration is a relative path, and no folder is open', key);
  throw new Mendable('config', message, vscode.l10n.t('Give the whole path of {0}.', basename(text)), [openFolder()]);
}
