/** Measured rows as a table of Markdown, ratios first: this project's time over the peer's, below 1 is faster. */
import { quantile, spread } from '../lib/statistics.ts';
import { ownOnOpenVino, type RowResult, type Side } from './row-result.ts';
import type { Peer } from './rows.ts';

const nothing = '-';
const names = ['PyTorch', 'OpenVINO'] as const satisfies readonly Peer[];
const wall = ({ turns }: Side) => turns.map(({ milliseconds }) => milliseconds);

export function timesTable(results: readonly RowResult[]): string {
  const head = [
    ...['workload', 'threads', ...names.map((name) => `of ${name}'s time`), 'on OpenVINO, of its own time'],
    ...['of the machine', 'this project, ms', 'on OpenVINO, ms'],
    ...names.map((name) => `${name}, ms`),
    'made a second',
  ];
  return markdown(
    head,
    results.map((result) => {
      const { row, threads, ours, flops, rate } = result;
      const peers = names.map((name) => peerOf(result, name));
      const onOpenVino = peerOf(result, ownOnOpenVino);
      const direct = peerOf(result, 'OpenVINO');
      const middle = quantile(wall(ours), 0.5);
      const { makes } = row.workload;
      return [
        ...[row.name, `${threads}`, ...peers.map((peer, i) => (peer ? ratio(ours, peer) : without(result, names[i]!)))],
        onOpenVino && direct ? ratio(onOpenVino, direct) : nothing,
        `${((100 * flops) / middle / rate).toFixed(0)} %`,
        `${milliseconds(ours)}, ${ours.engine}`,
        onOpenVino ? milliseconds(onOpenVino) : nothing,
        ...peers.map((peer) => (peer ? `${milliseconds(peer)}, ${peer.engine}` : nothing)),
        makes ? `${((1000 * makes.count) / middle).toPrecision(3)} ${makes.what}` : nothing,
      ];
    }),
  );
}

/** Getting ready, and memory. */
export function costsTable(results: readonly RowResult[]): string {
  const head = ['workload', 'threads', ...names.map((name) => `memory, of ${name}'s`), 'most memory']
    .concat(names.map((name) => `first result, of ${name}'s`))
    .concat('first result after');
  return markdown(
    head,
    results.map((result) => {
      const { row, threads, ours } = result;
      const peers = names.map((name) => peerOf(result, name));
      const share = (own: number | null, other: number | null | undefined) =>
        own === null || !other ? nothing : (own / other).toFixed(2);
      return [
        ...[row.name, `${threads}`, ...peers.map((peer) => share(ours.peak, peer?.peak))],
        ours.peak === null ? nothing : `${(ours.peak / 1e9).toFixed(2)} GB`,
        ...peers.map((peer) => share(ours.firstResult, peer?.firstResult)),
        `${(ours.firstResult / 1000).toFixed(1)} s`,
      ];
    }),
  );
}

const peerOf = ({ peers }: RowResult, name: string): Side | undefined => peers.find(({ who }) => who === name);

/** Where there is no number: no such peer of this row, or one that did not work. */
const without = ({ missing }: RowResult, name: string) =>
  missing.some(({ who }) => who === name) ? 'does not run' : nothing;

/** Of each turn: whatever else the machine did met both sides. */
function ratio(ours: Side, peer: Side): string {
  const ratios = ours.turns.map((turn, i) => turn.milliseconds / peer.turns[i]!.milliseconds);
  return `**${quantile(ratios, 0.5).toFixed(2)}** (${[0.25, 0.75].map((share) => quantile(ratios, share).toFixed(2)).join('..')})`;
}

function milliseconds(side: Side): string {
  const times = wall(side);
  return spread(times, quantile(times, 0.5) < 100 ? 1 : 0);
}

function markdown(head: readonly string[], body: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...body];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
