/** A, B and A - B as score sets: of samples, or of a field at each of its levels. Knows no page. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import type { Picture } from '../../shared/heatmaps/picture.ts';
import { difference, type ScoreFact, type ScoreField, type ScoreSet } from '../../shared/scores/score-set.ts';
import { type Column, type FieldName, type FieldSet, isSigned } from './fields.ts';
import { columnTitle } from './names.ts';

/** One image or field of either side; null where a side has none. */
export interface Pair {
  readonly title: string;
  readonly a: Picture | null;
  readonly b: Picture | null;
  readonly kind: ScoreField['kind'];
  readonly facts: readonly ScoreFact[];
}

/** Sizes differ: nothing can be subtracted. */
export function sameSize(a: Picture, b: Picture): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}

export function pairSet(texts: MonitorTexts, { title, a, b, kind, facts }: Pair): ScoreSet {
  const field = (id: string, name: string, hint: string, picture: Picture | null, as: ScoreField['kind']) =>
    picture ? [{ id, title: name, hint, picture, kind: as }] : [];
  const both = a && b && sameSize(a, b) ? difference(a, b) : null;
  return {
    title,
    fields: [
      ...field('a', 'A', texts.sideA, a, kind),
      ...field('b', 'B', texts.sideB, b, kind),
      ...field('difference', 'A − B', texts.sideDifference, both, 'signed'),
    ],
    facts,
  };
}

/** Of a field at every level of both: level by level, each on one scale. */
export function fieldPairs(
  texts: MonitorTexts,
  name: FieldName | 'x',
  [a, b]: readonly [FieldSet | undefined, FieldSet | undefined],
  image: number,
): Pair[] {
  if (name === 'x') {
    return [{ title: 'x', a: a?.x(image) ?? null, b: b?.x(image) ?? null, kind: 'image', facts: [] }];
  }
  const [left, right] = [a, b].map((set) => set?.columns(Math.min(image, Math.max(0, set.images - 1)), 1) ?? []);
  return Array.from({ length: Math.max(left!.length, right!.length) }, (_, i) => {
    const [of, other] = [left![i], right![i]];
    const perLevel = (a ?? b)!.perLevel;
    const titles = [of, other].flatMap((column) => (column ? [columnTitle(texts, column, perLevel)] : []));
    return {
      title: [...new Set(titles)].join(' / '),
      a: of?.picture(name) ?? null,
      b: other?.picture(name) ?? null,
      kind: isSigned(name) ? 'signed' : 'image',
      facts: [
        ...facts('cos', texts.cosine, of?.cosine, other?.cosine),
        ...facts('ratio', texts.residualRatio, of?.residualRatio, other?.residualRatio),
      ],
    };
  });
}

function facts(name: string, hint: string, a: Column['cosine'] | undefined, b: Column['cosine'] | undefined) {
  const one = (side: string, value: number | null | undefined): ScoreFact[] =>
    typeof value === 'number' ? [{ id: `${name} ${side}`, title: `${name} ${side}`, hint, value }] : [];
  return [...one('A', a), ...one('B', b)];
}
