/**
 * The guard: what each row of the table takes of the processor, measured in the machine's own matrix products, against what is
 * recorded. So it means about the same on every machine, and wants no Python. Fails where a row is a third worse.
 *
 *     npm run bench -- guard                 every guarded row, about two minutes
 *     npm run bench -- guard --rows=dmd      rows whose name has the word
 *     npm run bench -- guard --record        writes what it measured to test/bench/guard.json
 *
 * One thread: with more of them, waiting counts as work.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { numberOption, textOption } from './lib/options.ts';
import { median, spread } from './lib/statistics.ts';
import { type Contender, openOurs, prepareRow } from './table/contender.ts';
import { takeTurns } from './table/measure.ts';
import { machine, picked, type Row } from './table/rows.ts';
import { surroundings } from './table/surroundings.ts';

interface Recorded {
  readonly on: readonly string[];
  /** Products that the machine could have done instead, in 10^9 operations, by row. */
  readonly rows: Readonly<Record<string, number>>;
}

/** A third worse. */
const allowed = 4 / 3;
const file = new URL('./guard.json', import.meta.url);
const turns = numberOption('turns', 5);
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const measured: Record<string, number> = {};
const root = mkdtempSync(path.join(tmpdir(), 'dmd-guard-'));
try {
  for (const row of picked(textOption('rows')?.split(',') ?? []).filter(({ guarded }) => guarded)) {
    const values = await products(row);
    measured[row.id] = Number(median(values).toPrecision(3));
    const before = recorded.rows[row.id];
    const change =
      before === undefined ? 'not recorded' : `${(median(values) / before).toFixed(2)} of what is recorded`;
    console.log(`  ${row.id}: ${spread(values, 1)} x 10^9 operations of matrix products, ${change}`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
if (process.argv.includes('--record')) {
  const kept: Recorded = { on: surroundings(null), rows: { ...recorded.rows, ...measured } };
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
} else {
  const worse = Object.entries(measured).filter(([id, value]) => value > allowed * (recorded.rows[id] ?? Infinity));
  for (const [id, value] of worse)
    console.log(`  WORSE: ${id}, ${(value / recorded.rows[id]!).toFixed(2)} times as much`);
  const unknown = Object.keys(measured).filter((id) => recorded.rows[id] === undefined);
  if (unknown.length > 0) console.log(`  not recorded: ${unknown.join(', ')}; --record writes them`);
  if (worse.length > 0 || unknown.length > 0) process.exitCode = 1;
}

/** A row and the machine's products in turns; of each turn the row's processor time by the products' rate in it. */
async function products(row: Row): Promise<number[]> {
  const folder = mkdtempSync(path.join(root, 'row-'));
  const opened: Contender[] = [];
  try {
    prepareRow(row.id, folder);
    for (const id of [row.id, machine.id]) opened.push(await openOurs({ id, folder, threads: 1 }));
    const [own, theirs] = (await takeTurns(opened, turns)) as [Timed, Timed];
    const { flops } = opened[1]!.first as { flops: number };
    return own.map(({ cpu }, i) => (cpu * flops) / theirs[i]!.cpu / 1e9);
  } finally {
    for (const contender of opened) await contender.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Timed = Awaited<ReturnType<typeof takeTurns>>[number];
