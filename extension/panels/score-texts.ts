/** The texts of heatmaps and score sets in the person's language. */
import * as vscode from 'vscode';
import type { HeatmapTexts, ScoreTexts } from '../../backend/protocol/panels/heatmap-texts.ts';

export function heatmapTexts(): HeatmapTexts {
  return {
    scale: vscode.l10n.t('Where the colours of {0} end'),
    scaleHint: vscode.l10n.t('Type a number to fix the scale; empty it to let the data decide.'),
    scaleLock: vscode.l10n.t('Keep this scale'),
    scaleUnlock: vscode.l10n.t('Let the data decide the scale'),
    scaleOf: vscode.l10n.t('Scale'),
    scaleEach: vscode.l10n.t('one each'),
    scaleRow: vscode.l10n.t('one for all'),
    channels: vscode.l10n.t('Channels'),
    channelsTogether: vscode.l10n.t('together'),
    channelsApart: vscode.l10n.t('apart'),
    channelNumber: vscode.l10n.t('channel {0}'),
    predictions: vscode.l10n.t('Images as'),
    asPictures: vscode.l10n.t('pictures'),
    asNumbers: vscode.l10n.t('signed numbers'),
    wholePicture: vscode.l10n.t('Whole Picture'),
    keys: vscode.l10n.t(
      'Arrow keys read the values, + and − zoom (or the wheel with Ctrl), dragging moves, 0 shows everything.',
    ),
    pixel: vscode.l10n.t('pixel ({0}, {1})'),
    statistics: vscode.l10n.t('min {0}, mean {1}, max {2}, std {3}'),
    oddNan: vscode.l10n.t('{0} NaN'),
    oddInfinite: vscode.l10n.t('{0} infinite'),
    zeros: vscode.l10n.t('{0} of {1} numbers are zero'),
  };
}

export function scoreTexts(): ScoreTexts {
  return {
    ...heatmapTexts(),
    scores: vscode.l10n.t('Scores'),
    fieldX: 'x',
    fieldXt: 'x_t',
    fieldMuReal: 'mu_real',
    fieldMuFake: 'mu_fake',
    fieldScoreReal: 's_real',
    fieldScoreFake: 's_fake',
    fieldDifference: 'mu_real − mu_fake',
    fieldWeight: vscode.l10n.t('weight'),
    fieldGrad: 'grad',
    hintX: vscode.l10n.t('What the generator made.'),
    hintXt: vscode.l10n.t('The same with noise: alpha x + sigma noise.'),
    hintMuReal: vscode.l10n.t('What the teacher takes for the clean image behind x_t.'),
    hintMuFake: vscode.l10n.t("What the fake score, trained on the generator's images, takes for it."),
    hintScoreReal: vscode.l10n.t('The score of the real distribution, −(x_t − alpha mu_real) / sigma².'),
    hintScoreFake: vscode.l10n.t("The score of the generator's distribution, −(x_t − alpha mu_fake) / sigma²."),
    hintDifference: vscode.l10n.t('Where the update moves each pixel: orange up, blue down.'),
    hintWeight: vscode.l10n.t('The factor of mu_fake − mu_real in grad.'),
    hintGrad: vscode.l10n.t('The gradient of distribution matching with respect to x; the update goes the other way.'),
    cosine: vscode.l10n.t('Direction cosine between mu_real − x and mu_fake − x'),
    residualRatio: vscode.l10n.t('Residual ratio: mean |x − mu_real| / mean |x − mu_fake|'),
    weight: vscode.l10n.t('weight'),
  };
}
