/** All rules, the gravest first. */
import type { RecordedNumbers } from '../numbers.ts';
import { discriminatorWins } from './discriminator.ts';
import { fakeScoreLags, fakeScoreOscillates } from './fake-score.ts';
import { batchTooSmall, deadGradient, gradientScale, noiseLevels } from './gradient.ts';
import type { Rule } from './rule.ts';
import { collapse, pastPeak, saturation } from './samples.ts';
import { diverging, optimizerState, residualsApart } from './training.ts';

export type { Rule } from './rule.ts';

export const rules: readonly Rule[] = [
  diverging,
  collapse,
  deadGradient,
  gradientScale,
  noiseLevels,
  fakeScoreLags,
  fakeScoreOscillates,
  discriminatorWins,
  residualsApart,
  saturation,
  pastPeak,
  optimizerState,
  batchTooSmall,
];

/** Titles of the rules that have nothing to read. */
export const unjudgedRules = (numbers: RecordedNumbers): string[] =>
  rules.filter(({ reads }) => !numbers.has(reads)).map(({ title }) => title);
