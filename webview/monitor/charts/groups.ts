/** Which curves belong together, in which order, and what they are called. Tags that nobody foresaw are in `other`. */

export type GroupId =
  | 'loss'
  | 'quality'
  | 'gan'
  | 'norm'
  | 'residual'
  | 'cosine'
  | 'rate'
  | 'speed'
  | 'ranks'
  | 'memory'
  | 'schedule'
  | 'other';

export interface TagGroup {
  readonly id: GroupId;
  readonly tags: readonly string[];
}

export interface ChartPlan {
  /** Stable: what the person chose for it is kept under this name. */
  readonly id: string;
  readonly group: GroupId;
  /** One, or several that share an axis because they measure the same. */
  readonly tags: readonly string[];
}

const order: readonly GroupId[] = [
  'loss',
  'quality',
  'residual',
  'cosine',
  'gan',
  'norm',
  'rate',
  'speed',
  'ranks',
  'memory',
  'schedule',
  'other',
];

/** Tags in the order people look at them. */
const first = ['loss/matching', 'loss/regression', 'loss/fake', 'loss/teacher', 'residual/real', 'norm/generator'];

/** Curves of these groups are drawn over each other. */
const shared: Readonly<Partial<Record<GroupId, (tag: string) => string>>> = {
  residual: (tag) => /^probe\/\w+/.exec(tag)?.[0] ?? 'residual',
  cosine: () => 'probe/cosine',
  quality: (tag) => tag.replace(/ of ema .*/, ''),
  gan: (tag) => (tag.startsWith('gan/logit-') ? 'gan/logit' : tag),
  rate: () => 'rate',
  speed: (tag) => (tag.startsWith('speed/gpu ') ? 'speed/gpu' : tag),
  ranks: (tag) => (tag.startsWith('ranks/waiting ') ? 'ranks/waiting' : 'ranks/speed'),
  memory: (tag) => (tag.startsWith('memory/gpu ') ? 'memory/gpu' : tag),
  schedule: (tag) => (tag.startsWith('level/') ? 'level' : tag),
};

/** As runs of several ranks record them. */
export const rankSpeedTag = (rank: number) => `ranks/images per second of rank ${rank}`;
export const rankWaitingTag = (rank: number) => `ranks/waiting of rank ${rank}`;

export function groupOf(tag: string): GroupId {
  if (tag.startsWith('loss/')) return 'loss';
  if (tag.startsWith('norm/') || tag.startsWith('gradient/')) return 'norm';
  if (tag.startsWith('residual/') || /^probe\/(residual|path)\//.test(tag)) return 'residual';
  if (tag.startsWith('probe/cosine/')) return 'cosine';
  if (tag.startsWith('quality/')) return 'quality';
  if (tag.startsWith('gan/')) return 'gan';
  if (tag.startsWith('rate/')) return 'rate';
  if (tag.startsWith('speed/')) return 'speed';
  if (/^ranks\/(waiting|images per second) of rank \d+$/.test(tag)) return 'ranks';
  if (tag.startsWith('memory/')) return 'memory';
  if (/^(level|target|stage)\//.test(tag) || tag === 'lambda') return 'schedule';
  return 'other';
}

export function groupTags(tags: readonly string[]): TagGroup[] {
  const sorted = [...new Set(tags)].sort(compareTags);
  return order
    .map((id) => ({ id, tags: sorted.filter((tag) => groupOf(tag) === id) }))
    .filter((group) => group.tags.length > 0);
}

export function planCharts({ id, tags }: TagGroup): ChartPlan[] {
  const nameOf = shared[id] ?? ((tag: string) => tag);
  const charts = new Map<string, string[]>();
  for (const tag of tags) charts.set(nameOf(tag), [...(charts.get(nameOf(tag)) ?? []), tag]);
  return [...charts].map(([name, inChart]) => ({ id: name, group: id, tags: inChart }));
}

function compareTags(a: string, b: string): number {
  const rank = (tag: string) => (first.includes(tag) ? first.indexOf(tag) : first.length);
  return rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true });
}
