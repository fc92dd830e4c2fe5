/**
 * One image under both scores: what is shown of it, and what follows from plain tensors wherever they come from. The
 * conventions are those of Yin et al., arXiv 2311.18828, written in denoised images: s = -(x_t - alpha mu)/sigma^2, and
 * grad = weight (mu_fake - mu_real), of which an update takes a step along the negative. Knows no page.
 */
import type { ScoreTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import type { Picture } from '../heatmaps/picture.ts';

export interface ScoreField {
  /** Names it on the page, and its fixed scale. */
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly picture: Picture;
  /** `image`: in [-1, 1], shown as a picture unless the person wants numbers. */
  readonly kind: 'signed' | 'image';
}

export interface ScoreFact {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly value: number;
}

export interface ScoreSet {
  /** What it is of; '' where there is only one. */
  readonly title: string;
  readonly fields: readonly ScoreField[];
  readonly facts: readonly ScoreFact[];
}

/** One image's tensors, all of one shape. */
export interface ScoreInput {
  readonly x: Picture;
  /** Without it there are no scores, only predictions. */
  readonly xt: Picture | null;
  readonly muReal: Picture;
  readonly muFake: Picture;
  /** Factor of mu_fake - mu_real, one or one per number; null: that of Eq. 8, 1 / mean|x - mu_real|. */
  readonly weight: number | Picture | null;
  /** NaN where they are unknown: no scores then. */
  readonly alpha: number;
  readonly sigma: number;
  /** As it was computed; null: weight (mu_fake - mu_real). */
  readonly grad?: Picture | null;
  readonly title?: string;
}

/** Fields from what is put in to what comes out, with what is said of them. */
export function scoreSetOf(texts: ScoreTexts, input: ScoreInput): ScoreSet {
  const { x, xt, muReal, muFake, alpha, sigma, title = '' } = input;
  const weight = input.weight ?? 1 / meanDistance(x, muReal);
  const factor = typeof weight === 'number' ? () => weight : (i: number) => weight.data[i]!;
  const grad = input.grad ?? like(x, (i) => factor(i) * (muFake.data[i]! - muReal.data[i]!));
  const score = (mu: Picture) => xt && like(x, (i) => -(xt.data[i]! - alpha * mu.data[i]!) / (sigma * sigma));
  const scored = xt !== null && Number.isFinite(alpha) && sigma > 0;
  const field = (id: string, name: string, hint: string, picture: Picture | null, kind: ScoreField['kind']) =>
    picture ? [{ id, title: name, hint, picture, kind }] : [];
  return {
    title,
    fields: [
      ...field('x', texts.fieldX, texts.hintX, x, 'image'),
      ...field('xt', texts.fieldXt, texts.hintXt, xt, 'image'),
      ...field('muReal', texts.fieldMuReal, texts.hintMuReal, muReal, 'image'),
      ...field('muFake', texts.fieldMuFake, texts.hintMuFake, muFake, 'image'),
      ...field('scoreReal', texts.fieldScoreReal, texts.hintScoreReal, scored ? score(muReal) : null, 'signed'),
      ...field('scoreFake', texts.fieldScoreFake, texts.hintScoreFake, scored ? score(muFake) : null, 'signed'),
      ...field('difference', texts.fieldDifference, texts.hintDifference, difference(muReal, muFake), 'signed'),
      ...field('weight', texts.fieldWeight, texts.hintWeight, typeof weight === 'number' ? null : weight, 'signed'),
      ...field('grad', texts.fieldGrad, texts.hintGrad, grad, 'signed'),
    ],
    facts: [
      ...(Number.isFinite(sigma) ? [{ id: 'sigma', title: 'σ', hint: '', value: sigma }] : []),
      ...(Number.isFinite(alpha) && alpha !== 1 ? [{ id: 'alpha', title: 'α', hint: '', value: alpha }] : []),
      ...(typeof weight === 'number'
        ? [{ id: 'weight', title: texts.weight, hint: texts.hintWeight, value: weight }]
        : []),
      { id: 'cosine', title: 'cos', hint: texts.cosine, value: directionCosine(x, muReal, muFake) },
      {
        id: 'residualRatio',
        title: 'ratio',
        hint: texts.residualRatio,
        value: meanDistance(x, muReal) / meanDistance(x, muFake),
      },
    ],
  };
}

/** a - b. */
export function difference(a: Picture, b: Picture): Picture {
  return like(a, (i) => a.data[i]! - b.data[i]!);
}

/** Cosine between mu_real - x and mu_fake - x: 1 when both scores point the same way. NaN where one of them does not move x. */
export function directionCosine(x: Picture, muReal: Picture, muFake: Picture): number {
  let [product, real, fake] = [0, 0, 0];
  for (let i = 0; i < x.data.length; i++) {
    const [a, b] = [muReal.data[i]! - x.data[i]!, muFake.data[i]! - x.data[i]!];
    product += a * b;
    real += a * a;
    fake += b * b;
  }
  return product / Math.sqrt(real * fake);
}

/** mean |x - mu|. */
export function meanDistance(x: Picture, mu: Picture): number {
  let sum = 0;
  for (let i = 0; i < x.data.length; i++) sum += Math.abs(x.data[i]! - mu.data[i]!);
  return sum / x.data.length;
}

function like({ data, ...shape }: Picture, value: (index: number) => number): Picture {
  const made = new Float32Array(data.length);
  for (let i = 0; i < made.length; i++) made[i] = value(i);
  return { ...shape, data: made };
}
