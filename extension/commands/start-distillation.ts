/** The command "DMD: Start Distillation...": picks a preset or a config of the workspace, and starts a run of it. */
import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import * as vscode from 'vscode';
import { listPresets, type ModelInfo, type PresetInfo } from '../../backend/protocol/rpc/index.ts';
import { nameFromFile } from '../config/config-files.ts';
import { beginRun, startRunFromFile } from '../config/start-run.ts';
import type { Services } from '../services.ts';

interface Choice extends vscode.QuickPickItem {
  readonly start?: () => Promise<void>;
}

/** More configs than anybody scrolls through. */
const mostFiles = 200;

/** @param teacher replaces the config's */
export async function startDistillation(services: Services, teacher: ModelInfo | null = null): Promise<void> {
  const picked = await vscode.window.showQuickPick(choices(services, teacher), {
    title: teacher === null ? vscode.l10n.t('Start Distillation') : vscode.l10n.t('Distill This Teacher'),
    placeHolder: vscode.l10n.t('Which settings should the run have?'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  await picked?.start?.();
}

async function choices(services: Services, teacher: ModelInfo | null): Promise<Choice[]> {
  const [presets, files] = await Promise.all([
    services.backend.request(listPresets, {}),
    configFiles(teacher === null ? () => true : isDistillation),
  ]);
  const set = teacher === null ? [] : [`teacher=${JSON.stringify(teacher.model)}`];
  const presetChoice = ({ name, kind, title, detail, text }: PresetInfo): Choice => ({
    label: `$(${kind === 'distill' ? 'beaker' : 'mortar-board'}) ${title}`,
    description: kind === 'distill' ? vscode.l10n.t('distillation') : vscode.l10n.t('teacher'),
    detail,
    start: async () => {
      const root = await services.roots.askForNewRun();
      const file = join(dirname(root), `${name}.dmd.json`); // where it would be; nothing is written there
      return beginRun({ title: vscode.l10n.t('Starting {0}', title), text, file, root, set }, services);
    },
  });
  const suited = presets.filter((preset) => teacher === null || fitOf(preset, teacher) === 'made for it');
  const others = presets.filter((preset) => teacher !== null && fitOf(preset, teacher) === 'of its kind');
  const fileChoices = files.map((uri) => ({
    label: `$(json) ${nameFromFile(uri.path)}`,
    description: vscode.workspace.asRelativePath(uri),
    start: () => startRunFromFile(uri, services, set),
  }));
  return [
    ...titled(vscode.l10n.t('Configs of the Workspace'), fileChoices),
    ...titled(vscode.l10n.t('Presets'), suited.map(presetChoice)),
    ...titled(vscode.l10n.t('Presets for Teachers of Other Images'), others.map(presetChoice)),
  ];
}

/** Nothing where there are no choices. */
function titled(label: string, choices: readonly Choice[]): Choice[] {
  return choices.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...choices];
}

/** A run of another kind of teacher ends with an error; one for other images works, with settings that were meant for those. */
function fitOf({ teacher: meant }: PresetInfo, teacher: ModelInfo): 'made for it' | 'of its kind' | 'none' {
  if (!meant || meant.prompt !== teacher.prompt) return 'none';
  const isSame = meant.side === teacher.imageShape?.[1] && meant.classes === teacher.classes.length > 0;
  return isSame ? 'made for it' : 'of its kind';
}

/** Those that people wrote: a run's own config is in its run folder, beside run.json. */
async function configFiles(isWanted: (text: string) => boolean): Promise<vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(
    '**/*.dmd.json',
    '**/{node_modules,config.dmd.json,config.until-*}',
    mostFiles,
  );
  const sorted = found.sort((a, b) => a.path.localeCompare(b.path));
  const wanted = await Promise.all(sorted.map(async (uri) => isWanted(await textOf(uri))));
  return sorted.filter((_, i) => wanted[i]);
}

/** '' for a file that cannot be read: what is chosen of it says why. */
async function textOf(uri: vscode.Uri): Promise<string> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return '';
  }
}

/** Only those have a teacher to be replaced; one that does not say yet what it is may become one. */
function isDistillation(text: string): boolean {
  const kind = (parse(text) as { kind?: unknown } | undefined)?.kind;
  return kind === undefined || kind === 'distill';
}
