/**
 * Which Node runs the backend: the one of the setting, else the first on the PATH that is new enough, else the editor's own.
 * No `vscode` in here.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { UserError } from '../../backend/protocol/errors.ts';
import { l10n } from '../l10n.ts';
import { settingPath } from '../setting-path.ts';

export interface NodeChoice {
  readonly path: string;
  /** As `node --version` says, without the v. */
  readonly version: string;
  /** Why it is this one, for the log. */
  readonly why: string;
  /** What it needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface NodeSearch {
  /** The setting `dmd.nodePath`; '' when it is not set. */
  readonly setting: string;
  /** The environment's PATH. */
  readonly searchPath: string;
  /** The editor's own program, which runs as Node when asked to, and its version of Node. */
  readonly own: { readonly path: string; readonly version: string };
}

/** The oldest that the backend runs on, as in package.json. */
const oldest = [20, 12] as const;
const versionMilliseconds = 10_000;

/** Throws a UserError when the setting names a program that cannot be used: what was asked for is not silently replaced. */
export async function chooseNode(search: NodeSearch): Promise<NodeChoice> {
  const setting = search.setting.trim();
  if (setting !== '') return fromSetting(settingPath('dmd.nodePath', setting, null));
  const refused: string[] = [];
  for (const path of await onPath(search.searchPath)) {
    const version = await versionOf(path).catch(() => null);
    if (version !== null && newEnough(version)) {
      return { path, version, why: 'the first on the PATH that is new enough', environment: {} };
    }
    refused.push(`${path} is ${version ?? 'unusable'}`);
  }
  const { path, version } = search.own;
  const why =
    refused.length === 0
      ? l10n.t('there is no node on the PATH')
      : l10n.t('too old on the PATH: {0}', refused.join(', '));
  if (!newEnough(version)) {
    throw new UserError(
      'device',
      l10n.t("there is no Node to run the backend: {0}, and the editor's own is {1}", why, version),
      l10n.t('Install Node {0} or newer, or name one in the setting dmd.nodePath.', oldest.join('.')),
    );
  }
  return { path, version, why: `the editor's own (${why})`, environment: { ELECTRON_RUN_AS_NODE: '1' } };
}

async function fromSetting(path: string): Promise<NodeChoice> {
  const hint = l10n.t('Name a Node {0} or newer in the setting dmd.nodePath, or leave it empty.', oldest.join('.'));
  if (!isAbsolute(path))
    throw new UserError('usage', l10n.t('the setting dmd.nodePath is not an absolute path: {0}', path), hint);
  const version = await versionOf(path).catch((cause: unknown) => {
    const message = l10n.t('the program of the setting dmd.nodePath is not a Node that runs: {0}', path);
    throw new UserError('usage', message, hint, { cause });
  });
  if (!newEnough(version)) {
    throw new UserError(
      'usage',
      l10n.t('the setting dmd.nodePath names Node {0}, which is too old: {1}', version, path),
      hint,
    );
  }
  return { path, version, why: 'the setting dmd.nodePath', environment: {} };
}

/** Programs called node, in the order of the PATH. Relative entries would depend on a folder somebody else chose. */
async function onPath(searchPath: string): Promise<string[]> {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const folders = searchPath.split(delimiter).filter((folder) => isAbsolute(folder));
  const found = [...new Set(folders)].map(async (folder) => {
    const path = join(folder, name);
    return access(path, constants.X_OK).then(
      () => path,
      () => null,
    );
  });
  return (await Promise.all(found)).filter((path) => path !== null);
}

/** Asks the program itself; throws when it does not run, or is not Node. */
function versionOf(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // At home, because version managers look into the current folder.
    const options = { timeout: versionMilliseconds, cwd: homedir(), windowsHide: true };
    execFile(path, ['--version'], options, (error, output) => {
      const version = /^v(\d+\.\d+\.\d+)/.exec(String(output).trim())?.[1];
      if (error || version === undefined)
        reject(error ?? new Error(`not a version of Node: ${String(output).slice(0, 80)}`));
      else resolve(version);
    });
  });
}

function newEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}
