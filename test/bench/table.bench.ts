/**
 * The table: every workload that matters, this project and its peers in turns on the same weights, threads, batch and precision.
 *
 *     npm run bench -- table                      every row, about an hour
 *     npm run bench -- table --quick              those of five minutes, fewer turns
 *     npm run bench -- table --rows=dmd,lpips     rows whose name has one of these words
 *     npm run bench -- table --threads=1          with so many threads in place of each row's own
 *     npm run bench -- table --turns=3            at most so many turns of each row
 *     npm run bench -- table --out=table.md       writes it, too
 *
 * Peers run in DMD_BENCH_PYTHON or python3: PyTorch with diffusers and transformers, OpenVINO where it is installed. Without
 * them this project is measured alone. Needs 20 GB of memory and 10 GB in the temporary folder for Stable Diffusion's rows.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findOpenVino } from '../../backend/engine/openvino/find.ts';
import { numberOption, textOption } from './lib/options.ts';
import { findTorch } from './lib/torch.ts';
import { costsTable, timesTable } from './table/report.ts';
import { measureRow, type RowResult } from './table/row-result.ts';
import { picked } from './table/rows.ts';
import { openVinoOf, surroundings } from './table/surroundings.ts';

const quick = process.argv.includes('--quick');
const asked = textOption('threads') === undefined ? null : [numberOption('threads', 1)];
const most = numberOption('turns', Number.POSITIVE_INFINITY);
const words = textOption('rows')?.split(',') ?? [];
const torch = findTorch();
const python = 'missing' in torch ? null : torch.python;
if ('missing' in torch)
  console.log(`This project alone: ${torch.missing}. Set DMD_BENCH_PYTHON to a Python that has it.`);
// The one that Python would take, so that both sides run the same.
process.env.DMD_OPENVINO ??= python === null ? '' : openVinoOf(python);
const openVino = 'path' in findOpenVino();
const lines = surroundings(python);
const root = mkdtempSync(path.join(tmpdir(), 'dmd-table-'));
const results: RowResult[] = [];
let failed = 0;
try {
  for (const row of picked(words)) {
    if (quick && !row.quick) continue;
    for (const threads of asked ?? (quick ? row.quick!.threads : row.threads)) {
      console.log(`  ${row.id}, ${threads} thread(s)...`);
      try {
        const say = (line: string) => console.log(`  ${line}`);
        const turns = Math.min(most, quick ? row.quick!.turns : row.turns);
        const result = await measureRow(row, threads, { root, turns, quick, python, openVino, say });
        results.push(result);
        // Said at once: a table that is broken off later has measured this row.
        say(timesTable([result]).split('\n').at(-1)!);
      } catch {
        failed++; // said already; the other rows still count
      }
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
const notes = results.flatMap(({ row, missing }) => missing.map(({ who, why }) => `- ${row.id}, ${who}: ${why}`));
const how = quick
  ? 'quick: few turns, nothing compiled by PyTorch'
  : Number.isFinite(most)
    ? `${most} turns a row at most`
    : 'all turns';
const text = [
  ...lines.map((line) => `- ${line}`),
  `- ${how}; medians and quartiles; the sides take turns and rest in between`,
  ...['', timesTable(results), '', costsTable(results), ''],
  ...notes,
].join('\n');
console.log(`\n${text}`);
const out = textOption('out');
if (out !== undefined) writeFileSync(out, `${text}\n`);
if (failed > 0) process.exitCode = 1;
