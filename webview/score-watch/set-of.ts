/** From what was read at a stop to a score set, and what of it cannot be shown. Knows no page. */
import type { ScoreReading, ScoreStop } from '../../backend/protocol/panels/score-watch.ts';
import type { ScoreWatchTexts } from '../../backend/protocol/panels/score-watch-texts.ts';
import type { Picture } from '../shared/heatmaps/picture.ts';
import { fill } from '../shared/initial.ts';
import { difference, type ScoreField, type ScoreSet, scoreSetOf } from '../shared/scores/score-set.ts';

export interface StopSet {
  readonly set: ScoreSet;
  /** What is missing, and why. */
  readonly problems: readonly string[];
  /** mu_real - mu_fake, for the strip; null: not both are there. */
  readonly difference: Picture | null;
}

/** The largest float32. */
const largest = 2 ** 127 * (2 - 2 ** -23);

export function stopSetOf(texts: ScoreWatchTexts, { readings }: ScoreStop): StopSet {
  const problems = Object.values(readings).flatMap((one) =>
    one && 'problem' in one ? [`${one.problem}. ${one.hint}`.trim()] : [],
  );
  const [x, xt, muReal, muFake] = (['x', 'xt', 'real', 'fake'] as const).map((role) => pictureOf(readings[role]));
  const model = x ?? muReal ?? muFake ?? xt;
  const fits = (title: string, picture: Picture | null | undefined): Picture | null => {
    if (!picture || !model) return null;
    if (sizesOf(picture) === sizesOf(model)) return picture;
    problems.push(fill(texts.differ, title, sizesOf(picture), sizesOf(model)));
    return null;
  };
  const noisy = fits(texts.fieldXt, xt);
  const real = fits(texts.fieldMuReal, muReal);
  const fake = fits(texts.fieldMuFake, muFake);
  const weight = weightOf(readings.weight, (picture) => fits(texts.fieldWeight, picture));
  const [alpha, sigma] = [numberOf(readings.alpha), numberOf(readings.sigma)];
  const moves = real && fake ? difference(real, fake) : null;
  if (x && real && fake) {
    const set = scoreSetOf(texts, { x, xt: noisy, muReal: real, muFake: fake, weight, alpha, sigma });
    return { set, problems, difference: moves };
  }
  const field = (
    id: string,
    title: string,
    hint: string,
    picture: Picture | null | undefined,
    kind: ScoreField['kind'],
  ) => (picture ? [{ id, title, hint, picture, kind }] : []);
  const fields = [
    ...field('x', texts.fieldX, texts.hintX, x, 'image'),
    ...field('xt', texts.fieldXt, texts.hintXt, noisy, 'image'),
    ...field('muReal', texts.fieldMuReal, texts.hintMuReal, real, 'image'),
    ...field('muFake', texts.fieldMuFake, texts.hintMuFake, fake, 'image'),
    ...field('difference', texts.fieldDifference, texts.hintDifference, moves, 'signed'),
  ];
  return { set: { title: '', fields, facts: [] }, problems, difference: moves };
}

/** Every n-th row and column is seen of what is too large. */
export function stepOf({ readings }: ScoreStop): number {
  return Math.max(1, ...Object.values(readings).map((one) => (one && 'value' in one ? one.step : 1)));
}

function pictureOf(reading: ScoreReading | undefined): Picture | null {
  if (!reading || !('value' in reading) || !reading.value.numbers) return null;
  const { value, channels, height, width } = reading;
  const single = (number: number) => (Number.isFinite(number) ? Math.max(-largest, Math.min(largest, number)) : number);
  const data = value.numbers instanceof Float32Array ? value.numbers : Float32Array.from(value.numbers!, single);
  return { channels, height, width, data };
}

/** NaN when it was not read. */
function numberOf(reading: ScoreReading | undefined): number {
  return reading && 'value' in reading ? (reading.value.numbers?.[0] ?? Number.NaN) : Number.NaN;
}

function weightOf(reading: ScoreReading | undefined, fits: (picture: Picture | null) => Picture | null) {
  const picture = pictureOf(reading);
  if (!picture) return null;
  return picture.data.length === 1 ? numberOf(reading) : fits(picture);
}

const sizesOf = ({ channels, height, width }: Picture) => `${channels} × ${height} × ${width}`;
