/** What the numbers of a DMD2 iteration are recorded as, beside those that DMD has too. */
import { ganTags } from '../../health/tags.ts';

export const dmd2Tags: Readonly<Record<string, string>> = {
  lossGan: ganTags.lossGan,
  lossDiscriminator: ganTags.lossDiscriminator,
  penaltyR1: 'loss/r1',
  logitReal: 'gan/logit-real',
  logitFake: 'gan/logit-fake',
  right: ganTags.right,
  normDiscriminator: 'norm/discriminator',
};
