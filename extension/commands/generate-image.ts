/** "DMD: Generate Image": picks model, class or prompt, and seed, and shows the image in the panel. */
import { randomInt } from 'node:crypto';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { type Form, keepingSeed } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { parseSeed, type Seed, seedRange } from '../../backend/protocol/seed.ts';
import type { GenerateSession } from '../generate/session.ts';
import type { GeneratePanel } from '../panels/generate.ts';

const { l10n } = vscode;

/** @param model skips the first question */
export async function generateImage(session: GenerateSession, panel: GeneratePanel, model?: string): Promise<void> {
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: l10n.t('Listing models') }, () =>
    session.load(),
  );
  const form = await askForm(session, model);
  if (!form) return;
  // This seed is this image's: later ones draw their own, unless the person keeps one in the panel.
  await generateInProgress(session, panel, form, true);
}

/** Shows how far it is, with a way to stop it, and then the image in the panel. */
export async function generateInProgress(
  session: GenerateSession,
  panel: GeneratePanel,
  form: Form,
  keepSeed = false,
): Promise<void> {
  const entry = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: l10n.t('Generating an image'), cancellable: true },
    async (progress, token) => {
      const cancel = new AbortController();
      const cancelling = token.onCancellationRequested(() => cancel.abort());
      const news = session.onDidChangeJobs(async () => {
        const [job] = (await session.view()).jobs;
        if (job) progress.report({ message: job.label });
      });
      try {
        return await session.generate(form, { signal: cancel.signal, keepSeed });
      } finally {
        cancelling.dispose();
        news.dispose();
      }
    },
  );
  panel.show(entry.id);
}

/** Undefined when the person changes their mind. */
async function askForm(session: GenerateSession, given?: string): Promise<Form | undefined> {
  const usable = session.models.filter(({ problem }) => problem === '');
  if (usable.length === 0) {
    const { problem } = await session.view();
    throw new UserError('usage', problem || l10n.t('There is no model that can be used'));
  }
  const before = session.form;
  const chosen = usable.find(({ model }) => model === given) ?? (await askModel(usable, before.model));
  if (!chosen) return undefined;
  const shown = chosen.prompt ? await askPrompt(before) : await askClass(chosen, before);
  if (!shown) return undefined;
  const seed = await askSeed(before);
  if (seed === undefined) return undefined;
  const own = chosen.model === before.model ? before.steps : null;
  const kept = keepingSeed(before, { ...before, ...shown, model: chosen.model });
  return { ...kept, seed, count: 1, steps: own, beside: false, asGrid: false };
}

async function askModel(models: readonly ModelInfo[], before: string): Promise<ModelInfo | undefined> {
  const items = models.map((info) => ({ info, label: info.title, description: roleOf(info) }));
  const placeHolder = l10n.t('Which model makes the image?');
  const item = await vscode.window.showQuickPick(
    lastFirst(items, ({ info }) => info.model === before),
    {
      ...{ placeHolder, title: l10n.t('Generate Image (1/3)'), matchOnDescription: true },
    },
  );
  return item?.info;
}

async function askClass({ classes }: ModelInfo, before: Form): Promise<Pick<Form, 'class'> | undefined> {
  if (classes.length === 0) return { class: 'seed' };
  const open = { label: l10n.t('Drawn from the seed'), id: 'seed' as const };
  const named = classes.map((name, id) => ({ label: name, description: name === String(id) ? '' : String(id), id }));
  const placeHolder = l10n.t('What does it show?');
  const items = lastFirst([open, ...named], ({ id }) => id === before.class);
  const item = await vscode.window.showQuickPick(items, { placeHolder, title: l10n.t('Generate Image (2/3)') });
  return item && { class: item.id };
}

async function askPrompt({ prompt: value }: Form): Promise<Pick<Form, 'prompt'> | undefined> {
  const prompt = l10n.t('What does it show?');
  const text = await vscode.window.showInputBox({ prompt, value, title: l10n.t('Generate Image (2/3)') });
  return text === undefined ? undefined : { prompt: text };
}

async function askSeed({ seed, locked }: Form): Promise<Seed | undefined> {
  const text = await vscode.window.showInputBox({
    ...{ title: l10n.t('Generate Image (3/3)'), value: String(locked ? seed : randomInt(2 ** 32)) },
    prompt: l10n.t('The seed: the same number makes the same image.'),
    validateInput: (value) =>
      parseSeed(value) === null ? l10n.t('A whole number as PyTorch takes it: {0}.', seedRange) : undefined,
  });
  return text === undefined ? undefined : (parseSeed(text) ?? undefined);
}

/** The remembered choice comes first: Enter takes it. */
function lastFirst<T>(items: readonly T[], isLast: (item: T) => boolean): T[] {
  return [...items.filter(isLast), ...items.filter((item) => !isLast(item))];
}

function roleOf({ role, steps, model }: ModelInfo): string {
  const what = role === 'generator' ? l10n.t('one step') : l10n.t('teacher, {0} steps', steps);
  return model.startsWith('builtin:') ? l10n.t('built in, {0}', what) : what;
}
