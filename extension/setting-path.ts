/** Paths in settings, with what people expect of VS Code in them. Knows no `vscode`. */
import { homedir } from 'node:os';
import { UserError } from '../backend/protocol/errors.ts';
import { expandPath, pathProblem } from '../backend/protocol/path-text.ts';
import { l10n } from './l10n.ts';

/**
 * `${workspaceFolder}` at its beginning, `~`, `$HOME`, `${userHome}` and `file://` replaced.
 * @param setting its name, for messages
 * @param folder the workspace folder; null where there is none
 * @throws UserError('config')
 */
export function settingPath(setting: string, text: string, folder: string | null): string {
  const path = folder === null ? text : text.replace(/^\$\{workspaceFolder\}(?=[\\/]|$)/, () => folder);
  // A folder that is open may be called anything.
  const problem = path === text ? pathProblem(text) : '';
  if (problem === '') return path === text ? expandPath(text, homedir()) : path;
  throw new UserError('config', l10n.t('The setting {0}: {1}', setting, problem), l10n.t('Correct the setting.'));
}
