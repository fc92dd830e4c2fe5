/** The page's texts by key; a missing one shows its key, so that nobody overlooks it. */
import { fill } from '../shared/initial.ts';

export type Texts = (key: string, ...values: readonly (string | number)[]) => string;

export function textsOf(texts: Readonly<Record<string, string>>): Texts {
  return (key, ...values) => fill(texts[key] ?? key, ...values);
}

/** 0.8 ms, 12 ms, 1.5 s. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}
