/** The commands about models. What they do is loaded at the first use. */
import * as vscode from 'vscode';
import type { ModelInfo } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { isOnnx } from '../views/model-item.ts';

interface ModelCommand {
  readonly title: string;
  /** For the error: "Could not ...". */
  readonly what: string;
  readonly fits: (info: ModelInfo) => boolean;
  run(info: ModelInfo): Promise<unknown>;
}

export function registerModelCommands(context: vscode.ExtensionContext, services: Services): void {
  const { errors } = services;
  const register = (id: string, handler: (argument?: unknown) => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(id, handler));

  register('dmd.importModel', () =>
    errors.guard(vscode.l10n.t('Could not import the model'), async () =>
      (await import('./import-model.ts')).importModel(services),
    ),
  );
  register('dmd.downloadModel', () =>
    errors.guard(vscode.l10n.t('Could not download the model'), async () =>
      (await import('./download-model.ts')).downloadFromHub(services),
    ),
  );
  for (const [id, { title, what, fits, run }] of Object.entries(modelCommands(services))) {
    register(id, (argument) =>
      errors.guard(what, async () => {
        const { targetModel } = await import('./model-targets.ts');
        const info = await targetModel(argument, services, title, fits);
        if (info) await run(info);
      }),
    );
  }
}

function modelCommands(services: Services): Record<string, ModelCommand> {
  const { t } = vscode.l10n;
  const isFile = ({ model }: ModelInfo) => !model.startsWith('builtin:');
  return {
    'dmd.exportModel': {
      title: t('Export Model to ONNX'),
      what: t('Could not export the model'),
      fits: (info) => !isOnnx(info),
      run: async (info) => (await import('./export-model.ts')).exportToOnnx(info, services),
    },
    'dmd.generateWithModel': {
      title: t('Generate with Model'),
      what: t('Could not generate an image with the model'),
      fits: () => true,
      run: async ({ model }) => vscode.commands.executeCommand('dmd.openGeneratePanel', model),
    },
    'dmd.distillTeacher': {
      title: t('Distill Teacher'),
      what: t('Could not start a run'),
      fits: (info) => info.role === 'teacher' && !isOnnx(info),
      run: async (info) => (await import('./start-distillation.ts')).startDistillation(services, info),
    },
    'dmd.removeModel': {
      title: t('Remove Model from the List'),
      what: t('Could not remove the model from the list'),
      fits: ({ origin }) => origin === 'imported' || origin === 'exported',
      run: ({ model }) => services.modelFiles.remove(model),
    },
    'dmd.revealModel': {
      title: t('Show Model in Folder'),
      what: t('Could not show the model'),
      fits: isFile,
      run: async ({ model }) => (await import('../reveal.ts')).revealFile(model),
    },
  };
}
