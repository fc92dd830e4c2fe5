/** The palette's question for a prompt: what is typed comes first, earlier prompts that contain it below, or examples at first use. */
import * as vscode from 'vscode';
import type { Form } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { promptForm, textModel, textModels } from '../generate/prompt-form.ts';
import type { GenerateSession } from '../generate/session.ts';

const { l10n } = vscode;

interface PromptItem extends vscode.QuickPickItem {
  readonly prompt?: string;
}

/** In the words that the models know. */
const builtinExamples = [
  ...['a red circle on a blue ground', 'a green star', 'two white hearts', 'a small yellow ring on black'],
];
const otherExamples = ['a watercolour of a lighthouse at dusk', 'a red bicycle against a brick wall'];

/** The session's form with the prompt, and with the model and the seed that were chosen on the way; undefined on a change of mind. */
export async function askPrompt(session: GenerateSession, loading: Promise<void>): Promise<Form | undefined> {
  const pick = vscode.window.createQuickPick<PromptItem>();
  const earlier = await session.prompts();
  let form = session.form;
  let choosing = false;
  pick.placeholder = l10n.t('What does the image show? Enter makes it.');
  pick.value = form.prompt;
  const show = () => {
    const typed = pick.value.trim();
    const info = textModel(session.models, form.model);
    const asked = info && promptForm(session.form, { ...form, prompt: typed }, info);
    pick.title = asked && info ? titleOf(asked, info) : l10n.t('Generate Image from Prompt');
    pick.buttons = [buttons.model, asked?.locked ? buttons.unlock : buttons.lock];
    pick.items = itemsOf(typed, earlier, info);
    // Enter takes what is typed, also when an earlier prompt fits as well.
    pick.activeItems = pick.items.slice(0, typed === '' ? 0 : 1);
  };
  show();
  pick.busy = true;
  void loading.then(() => {
    pick.busy = false;
    show();
  });
  pick.onDidChangeValue(show);
  return new Promise((resolve) => {
    const end = (prompt: string) => {
      resolve(prompt === '' ? undefined : { ...form, prompt });
      pick.dispose();
    };
    pick.onDidTriggerButton(async (button) => {
      if (button === buttons.model) {
        choosing = true; // which hides this question
        form = { ...form, ...(await chooseModel(session, loading)) };
        choosing = false;
        pick.show();
      } else form = { ...form, locked: button === buttons.lock, restored: false };
      show();
    });
    pick.onDidAccept(() => end(pick.activeItems[0]?.prompt ?? pick.value.trim()));
    pick.onDidHide(() => {
      if (!choosing) end('');
    });
    pick.show();
  });
}

const buttons = {
  model: { iconPath: new vscode.ThemeIcon('layers'), tooltip: l10n.t('Choose Another Model') },
  lock: { iconPath: new vscode.ThemeIcon('unlock'), tooltip: l10n.t('Keep the Seed of the Last Image') },
  unlock: { iconPath: new vscode.ThemeIcon('lock'), tooltip: l10n.t('Draw Another Seed Every Time') },
};

/** What Enter would ask for. */
function titleOf({ steps, seed, locked }: Form, info: ModelInfo): string {
  const count = steps ?? info.steps;
  const calls = count === 1 ? l10n.t('1 step') : l10n.t('{0} steps', count);
  return [info.title, calls, locked ? l10n.t('seed {0}', seed) : l10n.t('a new seed')].join(' · ');
}

function itemsOf(typed: string, earlier: readonly string[], info: ModelInfo | undefined): PromptItem[] {
  const others = earlier.filter((prompt) => prompt !== typed);
  const examples = info === undefined || info.model.startsWith('builtin:') ? builtinExamples : otherExamples;
  const rows = (icon: string, prompts: readonly string[]): PromptItem[] =>
    prompts.map((prompt) => ({ label: prompt, prompt, iconPath: new vscode.ThemeIcon(icon) }));
  const separator = (label: string): PromptItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  return [
    ...rows('sparkle', typed === '' ? [] : [typed]).map((item) => ({ ...item, alwaysShow: true })),
    ...(others.length > 0 ? [separator(l10n.t('Earlier prompts')), ...rows('history', others)] : []),
    ...(earlier.length === 0 ? [separator(l10n.t('Examples')), ...rows('lightbulb', examples)] : []),
  ];
}

/** Its own steps and sampler come with it. */
async function chooseModel(session: GenerateSession, loading: Promise<void>): Promise<Partial<Form>> {
  await loading;
  const items = textModels(session.models).map(({ title, steps, model }) => {
    return { label: title, description: steps === 1 ? l10n.t('1 step') : l10n.t('{0} steps', steps), model };
  });
  const placeHolder = l10n.t('Which model makes the image?');
  const picked = await vscode.window.showQuickPick(items, { placeHolder });
  return picked ? { model: picked.model, steps: null, sampler: null } : {};
}
