/** "DMD: Generate Image from Prompt": type, Enter, image. The model is the one used last that takes a prompt. */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Form } from '../../backend/protocol/panels/generate.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import type { GenerateSession } from '../generate/session.ts';
import type { GeneratePanel } from '../panels/generate.ts';
import { generateInProgress } from './generate-image.ts';

const { l10n } = vscode;

interface PromptItem extends vscode.QuickPickItem {
  readonly prompt?: string;
}

/** @param given skips the question */
export async function generateFromPrompt(
  session: GenerateSession,
  panel: GeneratePanel,
  given?: string,
): Promise<void> {
  // The models are listed while the person types.
  const loading = session.load();
  const prompt = given ?? (await askPrompt(await session.prompts(), session.form.prompt));
  if (prompt === undefined) return;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: l10n.t('Listing models') },
    () => loading,
  );
  const { problem } = await session.view();
  const { model, steps } = textModel(session.models, session.form, problem);
  const own = model === session.form.model ? session.form.steps : null;
  const form: Form = { ...session.form, model, prompt, count: 1, steps: steps === 1 ? null : own, beside: false };
  await generateInProgress(session, panel, form);
}

/** The one in the form, else the built-in generator, else the first that can be used. */
function textModel(models: readonly ModelInfo[], form: Form, problem: string): ModelInfo {
  const usable = models.filter((info) => info.prompt && info.problem === '');
  const found =
    usable.find(({ model }) => model === form.model) ??
    usable.find(({ steps, model }) => steps === 1 && model.startsWith('builtin:')) ??
    usable[0];
  if (found) return found;
  const hint = l10n.t('Import a text-to-image model in the Models view.');
  throw new UserError('usage', problem || l10n.t('There is no model that takes a prompt'), hint);
}

/** What is typed comes first, earlier prompts that contain it below; undefined when the person changes their mind. */
function askPrompt(earlier: readonly string[], last: string): Promise<string | undefined> {
  const pick = vscode.window.createQuickPick<PromptItem>();
  pick.title = l10n.t('Generate Image from Prompt');
  pick.placeholder = l10n.t('What does the image show? Enter makes it.');
  pick.value = last;
  const show = () => {
    const typed = pick.value.trim();
    const others = earlier.filter((prompt) => prompt !== typed);
    const separator: PromptItem = { label: l10n.t('Earlier prompts'), kind: vscode.QuickPickItemKind.Separator };
    pick.items = [
      ...(typed === ''
        ? []
        : [{ label: typed, prompt: typed, alwaysShow: true, iconPath: new vscode.ThemeIcon('sparkle') }]),
      ...(others.length === 0 ? [] : [separator]),
      ...others.map((prompt) => ({ label: prompt, prompt, iconPath: new vscode.ThemeIcon('history') })),
    ];
    // Enter takes what is typed, also when an earlier prompt fits as well.
    pick.activeItems = pick.items.slice(0, typed === '' ? 0 : 1);
  };
  show();
  pick.onDidChangeValue(show);
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const prompt = pick.activeItems[0]?.prompt ?? pick.value.trim();
      resolve(prompt === '' ? undefined : prompt);
      pick.dispose();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}
