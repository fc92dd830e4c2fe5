/** Which runs the table shows, in which order, under which headings. Knows no page. */

/** What a run is listed by. */
export interface Listed {
  readonly folder: string;
  readonly name: string;
  readonly state: string;
  /** What it does, e.g. distill; '' where unknown. */
  readonly kind: string;
  readonly tags: readonly string[];
  /** Of the columns that have numbers. */
  readonly numbers: ReadonlyMap<string, number>;
}

export interface Sort {
  /** `name`, `state`, or a column of numbers. */
  readonly by: string;
  readonly down: boolean;
}

export type Grouping = 'none' | 'state' | 'kind' | 'tag';

export interface Section<T> {
  /** '' where nothing is grouped; null: pinned ones. */
  readonly title: string | null;
  readonly runs: readonly T[];
}

/** Pinned runs come first and are always there; the others as they are filtered, grouped and sorted. */
export function arranged<T extends Listed>(
  runs: readonly T[],
  filter: string,
  sort: Sort | null,
  group: Grouping,
  pinned: readonly string[],
): Section<T>[] {
  const isPinned = ({ folder }: Listed) => pinned.includes(folder);
  const sorted = sort ? [...runs].sort((a, b) => compare(a, b, sort)) : runs;
  const found = sorted.filter((run) => !isPinned(run) && matches(run, filter));
  const sections = new Map<string, T[]>();
  for (const run of found) {
    for (const title of titlesOf(run, group)) sections.set(title, [...(sections.get(title) ?? []), run]);
  }
  const groups = [...sections].sort(([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b));
  return [
    { title: null, runs: sorted.filter(isPinned) },
    ...groups.map(([title, inGroup]) => ({ title, runs: inGroup })),
  ].filter((section) => section.runs.length > 0);
}

/** Every word is in its name, its state, what it does, or one of its tags. */
export function matches({ name, state, kind, tags }: Listed, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = [name, state, kind, ...tags].map((text) => text.toLowerCase());
  return words.every((word) => texts.some((text) => text.includes(word)));
}

/** Under its first tag only: a run is one row. */
function titlesOf({ state, kind, tags }: Listed, group: Grouping): string[] {
  if (group === 'none') return [''];
  if (group === 'tag') return [tags[0] ?? ''];
  return [group === 'state' ? state : kind];
}

/** What has no number, or NaN, comes last either way. */
function compare(a: Listed, b: Listed, { by, down }: Sort): number {
  const sign = down ? -1 : 1;
  if (by === 'name' || by === 'state') return sign * a[by].localeCompare(b[by], undefined, { numeric: true });
  const [first, second] = [a, b].map(({ numbers }) => numbers.get(by) ?? Number.NaN);
  const [noFirst, noSecond] = [Number.isNaN(first), Number.isNaN(second)];
  if (noFirst || noSecond) return Number(noFirst) - Number(noSecond);
  return sign * (first! - second!);
}

/** For each column where less or more is better: the folder of the run that is best. */
export function bestOf(
  runs: readonly Listed[],
  columns: readonly { id: string; better: 'least' | 'greatest' | null }[],
) {
  const best = new Map<string, string>();
  for (const { id, better } of columns) {
    if (better === null) continue;
    const sort = { by: id, down: better === 'greatest' };
    const [first, second] = [...runs].sort((a, b) => compare(a, b, sort));
    if (first && second && Number.isFinite(first.numbers.get(id))) best.set(id, first.folder);
  }
  return best;
}
