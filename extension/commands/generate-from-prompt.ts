/**
 * "DMD: Generate Image from Prompt": type, Enter, image. The model is the one used last that takes a prompt; the title says
 * which, in how many steps and from which seed, and its buttons change that.
 */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Form } from '../../backend/protocol/panels/generate-form.ts';
import { promptForm, textModel } from '../generate/prompt-form.ts';
import type { GenerateSession } from '../generate/session.ts';
import type { GeneratePanel } from '../panels/generate.ts';
import { askPrompt } from './ask-prompt.ts';
import { generateInProgress } from './generate-image.ts';

const { l10n } = vscode;

/** @param given skips the question */
export async function generateFromPrompt(
  session: GenerateSession,
  panel: GeneratePanel,
  given?: string,
): Promise<void> {
  // The models are listed while the person types.
  const loading = session.load();
  let form: Form | undefined = given === undefined ? session.form : { ...session.form, prompt: given };
  if (given === undefined) form = await askPrompt(session, loading);
  if (form === undefined) return;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: l10n.t('Listing models') },
    () => loading,
  );
  const found = textModel(session.models, form.model);
  if (found) {
    await generateInProgress(session, panel, promptForm(session.form, form, found));
    return;
  }
  const { problem } = await session.view();
  const hint = l10n.t('Import a text-to-image model in the Models view.');
  throw new UserError('usage', problem || l10n.t('There is no model that takes a prompt'), hint);
}
