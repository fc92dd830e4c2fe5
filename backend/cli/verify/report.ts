/** What `dmd verify` prints. */
import { type Output, table } from '../output.ts';
import type { CaseReport } from './check-case.ts';
import type { Comparison, Limit } from './compare.ts';

export function reportCase(report: CaseReport, output: Output, verbose: boolean): void {
  const { name, folder, kind, status, comparisons, error, seconds } = report;
  output.event('case', {
    case: name,
    folder,
    kind,
    status,
    seconds: Number(seconds.toFixed(3)),
    error: error?.message ?? null,
    arrays: comparisons.map((comparison) => ({ ...comparison, ...jsonNumbers(comparison) })),
  });
  if (status === 'unknown') output.line(`${name}: not checked: kind ${kind} is not known to this version\n`);
  else if (error) output.line(`${name}: ${status}: ${verbose ? error.stack : error.message}\n`);
  else printComparisons(report, output);
}

function printComparisons({ name, kind, comparisons, seconds }: CaseReport, output: Output): void {
  const header = ['', 'array', 'largest error', 'relative', 'tolerance', ''];
  const rows = comparisons.map(({ ok, name, absolute, relative, limit, note }) => {
    return [ok ? 'ok' : 'MISS', name, number(absolute), number(relative), limitText(limit), note];
  });
  output.line(`${name} (${kind})`);
  for (const line of table([header, ...rows], '  ')) output.line(line);
  const missed = comparisons.filter((comparison) => !comparison.ok).length;
  const verdict = missed > 0 ? `MISS: ${missed} of ${comparisons.length} outside their tolerance` : 'ok';
  output.line(`  ${verdict} (${comparisons.length} compared, ${seconds.toFixed(1)} s)\n`);
}

/** The count of each outcome, and which kinds were not known. */
export function reportSummary(reports: readonly CaseReport[], files: readonly string[], output: Output): void {
  const count = (...statuses: string[]) => reports.filter(({ status }) => statuses.includes(status)).length;
  const unknownKinds = [...new Set(reports.filter(({ status }) => status === 'unknown').map(({ kind }) => kind))];
  const summary = {
    ok: count('ok'),
    miss: count('miss'),
    failed: count('failed'),
    damaged: count('damaged'),
    unknown: count('unknown'),
    unknownKinds,
    notCases: files,
  };
  output.event('summary', summary);
  if (files.length > 0) output.line(`not cases: ${files.join(', ')}`);
  const parts = [`${summary.ok} ok`, `${summary.miss} missed`];
  if (summary.failed > 0) parts.push(`${summary.failed} failed`);
  if (summary.damaged > 0) parts.push(`${summary.damaged} damaged`);
  if (summary.unknown > 0) parts.push(`${summary.unknown} not checked (unknown kinds: ${unknownKinds.join(', ')})`);
  output.line(`${reports.length} cases: ${parts.join(', ')}`);
}

function number(value: number | null): string {
  if (value === null) return '-';
  return value === 0 ? '0' : value.toExponential(2);
}

function limitText({ relative, absolute }: Limit): string {
  return absolute === undefined ? `${relative}` : `${absolute} abs`;
}

/** JSON has no NaN and no infinity: they become text. */
function jsonNumbers({ absolute, relative }: Comparison) {
  const plain = (value: number | null) => (value === null || Number.isFinite(value) ? value : String(value));
  return { absolute: plain(absolute), relative: plain(relative) };
}
