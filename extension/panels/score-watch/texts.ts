/** The texts of the score watch's page in the person's language. */
import * as vscode from 'vscode';
import type { ScoreWatchTexts } from '../../../backend/protocol/panels/score-watch-texts.ts';
import { scoreTexts } from '../score-texts.ts';

export function scoreWatchTexts(): ScoreWatchTexts {
  return {
    ...scoreTexts(),
    expressions: vscode.l10n.t('Expressions'),
    preset: vscode.l10n.t('Names of'),
    presetChoose: vscode.l10n.t('Choose public code'),
    roleX: vscode.l10n.t("x, the generator's image"),
    roleXt: vscode.l10n.t('x_t, with noise'),
    roleReal: vscode.l10n.t('mu_real, real prediction'),
    roleFake: vscode.l10n.t('mu_fake, fake prediction'),
    roleWeight: vscode.l10n.t('weight'),
    roleAlpha: vscode.l10n.t('alpha'),
    roleSigma: vscode.l10n.t('sigma'),
    weightHint: vscode.l10n.t('The factor of mu_fake − mu_real in grad; empty: 1 / mean |x − mu_real|, as in Eq. 8'),
    levelHint: vscode.l10n.t('Of x_t = alpha x + sigma noise; with both, the scores are shown too'),
    apply: vscode.l10n.t('Apply'),
    sample: vscode.l10n.t('Sample'),
    frame: vscode.l10n.t('Frame'),
    follow: vscode.l10n.t('Follow'),
    followHint: vscode.l10n.t('Read the values at every stop'),
    stoppedAt: vscode.l10n.t('Stopped at {0}'),
    notStopped: vscode.l10n.t('No program is stopped. The values are read at the next breakpoint.'),
    reading: vscode.l10n.t('Reading…'),
    took: vscode.l10n.t('read in {0} ms'),
    lastStops: vscode.l10n.t('Last stops'),
    stopName: vscode.l10n.t('{0}, sample {1}'),
    forget: vscode.l10n.t('Forget'),
    empty: vscode.l10n.t(
      'Set a breakpoint where your program has computed both predictions, and start debugging. What the expressions above name is read there.',
    ),
    differ: vscode.l10n.t('{0} has the shape {1}, x {2}: it is left out.'),
    everyNth: vscode.l10n.t('Every {0}. row and column is shown.'),
    statisticsOfAll: vscode.l10n.t('{0}: {1} {2}, all of it: min {3}, mean {4}, max {5}, std {6}'),
  };
}
