/** The texts of the safetensors page in the person's language. */
import * as vscode from 'vscode';
import type { SafetensorsTexts } from '../../../backend/protocol/panels/safetensors.ts';
import { valueTexts } from '../value/texts.ts';

export function safetensorsTexts(): SafetensorsTexts {
  return {
    ...valueTexts(),
    opening: vscode.l10n.t('Reading the header…'),
    again: vscode.l10n.t('Read Again'),
    filter: vscode.l10n.t('Filter tensors by name'),
    tensors: vscode.l10n.t('Tensors'),
    summary: vscode.l10n.t('{0} tensors, {1} numbers, {2}'),
    more: vscode.l10n.t('{0} more: filter by name to see them.'),
    noTensor: vscode.l10n.t('The file has no tensor.'),
    noneFits: vscode.l10n.t('No tensor has such a name.'),
    empty: vscode.l10n.t('{0} has no numbers.'),
    choose: vscode.l10n.t('Choose a tensor to see its numbers.'),
    metadata: vscode.l10n.t('Metadata'),
    histogram: vscode.l10n.t('Histogram'),
    histogramSpoken: vscode.l10n.t('Histogram of {0} numbers from {1} to {2}; most, {3}, lie near {4}.'),
  };
}
