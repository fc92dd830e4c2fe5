/** Registers the commands and the panel for generating images; what they need is loaded when one is first used. */
import * as vscode from 'vscode';
import { once } from '../once.ts';
import { restored } from '../panels/restored.ts';
import type { Services } from '../services.ts';

export function registerGenerate(context: vscode.ExtensionContext, services: Services): void {
  const { errors } = services;
  const loaded = once(() => load(context, services));
  const command = (id: string, what: string, run: (argument: unknown) => Promise<void>) =>
    vscode.commands.registerCommand(id, (argument?: unknown) => errors.guard(what, () => run(argument)));

  context.subscriptions.push(
    command('dmd.generateImage', vscode.l10n.t('Could not generate the image'), async (argument) => {
      const { session, panel } = await loaded();
      const { generateImage } = await import('../commands/generate-image.ts');
      await generateImage(session, panel, typeof argument === 'string' ? argument : undefined);
    }),
    command('dmd.generateFromPrompt', vscode.l10n.t('Could not generate the image'), async (argument) => {
      const { session, panel } = await loaded();
      const { generateFromPrompt } = await import('../commands/generate-from-prompt.ts');
      await generateFromPrompt(session, panel, typeof argument === 'string' ? argument : undefined);
    }),
    command('dmd.openGeneratePanel', vscode.l10n.t('Could not open the panel'), async (argument) => {
      const { session, panel } = await loaded();
      // From the models view: with this model.
      if (typeof argument === 'string') await session.fill({ ...session.form, model: argument, steps: null });
      panel.show();
    }),
    command('dmd.restoreImageSettings', vscode.l10n.t('Could not restore the settings'), async (argument) => {
      const { session, panel } = await loaded();
      const { restoreImageSettings } = await import('../commands/restore-image-settings.ts');
      await restoreImageSettings(session, panel, argument instanceof vscode.Uri ? argument : undefined);
    }),
    restored('dmd.generate', vscode.l10n.t('Could not open the panel'), services, async (webviewPanel) =>
      (await loaded()).panel.adopt(webviewPanel),
    ),
  );
}

async function load(context: vscode.ExtensionContext, services: Services) {
  const [{ GenerateSession }, { GeneratePanel }] = await Promise.all([
    import('./session.ts'),
    import('../panels/generate.ts'),
  ]);
  const session = new GenerateSession(context, services);
  context.subscriptions.push(session);
  return { session, panel: new GeneratePanel(session, services) };
}
