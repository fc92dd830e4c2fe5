/** The page's texts by key, filled in. */
import { type Restorable, restorable } from '../../backend/protocol/panels/generate-form.ts';
import type { GenerateTexts } from '../../backend/protocol/panels/generate-texts.ts';
import { fill } from '../shared/initial.ts';

export type Texts = (key: keyof GenerateTexts, ...values: readonly (string | number)[]) => string;

export function textsOf(texts: GenerateTexts): Texts {
  return (key, ...values) => fill(texts[key], ...values);
}

/** 0.8 ms, 12 ms, 1.5 s. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Says which settings of a picture the form could not take. */
export function restoredText(lost: readonly Restorable[], text: Texts): string {
  if (lost.length === 0) return text('restored');
  return text('restoredBut', lost.map((setting) => text(restorable[setting])).join(', '));
}
