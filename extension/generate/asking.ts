/** What generating needs of the editor: asking the backend with the person's settings, and words for what it does. */
import * as vscode from 'vscode';
import { generateImages } from '../../backend/protocol/rpc/index.ts';
import type { Backend } from '../backend/backend.ts';
import type { Ask, Stage } from './generations.ts';
import type { HistoryLimits } from './history.ts';

const { l10n } = vscode;
const mebibyte = 2 ** 20;

export function asking(backend: Backend): Ask {
  return async (id, settings, signal) => {
    const source = new vscode.CancellationTokenSource();
    const cancel = () => source.cancel();
    signal.addEventListener('abort', cancel);
    try {
      const metadata = vscode.workspace.getConfiguration('dmd.images').get('metadata', true);
      return await backend.request(generateImages, { id, settings, metadata }, source.token);
    } finally {
      signal.removeEventListener('abort', cancel);
      source.dispose();
    }
  };
}

export function stageWord(stage: Stage): string {
  const words: Record<string, string> = {
    waiting: l10n.t('Waiting'),
    starting: l10n.t('Starting'),
    'choosing a device': l10n.t('Trying the devices'),
    loading: l10n.t('Loading the model'),
    sampling: l10n.t('Generating'),
  };
  return words[stage] ?? stage;
}

export function historyLimits(): HistoryLimits {
  const settings = vscode.workspace.getConfiguration('dmd.images');
  const number = (key: string, otherwise: number) => {
    const value = settings.get<unknown>(key);
    return typeof value === 'number' && value >= 1 ? value : otherwise;
  };
  return { entries: number('historyEntries', 200), bytes: number('historyMegabytes', 256) * mebibyte };
}
