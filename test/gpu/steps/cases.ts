/**
 * The recorded reference cases (test/golden/cases) on the device, held to the tolerances that they state. Those are some times the
 * rounding of float32, which only a processor promises: WebGPU lets sines and exponentials be off by far more (WGSL, "Accuracy of
 * Built-in Functions"). So what is outside them and within 1e-3, as in test/integration/webgpu.test.ts, is named and is no failure.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type CaseReport, checkCase } from '../../../backend/cli/verify/check-case.ts';
import type { Comparison } from '../../../backend/cli/verify/compare.ts';
import { findCases } from '../../../backend/cli/verify/find-cases.ts';
import { openDevice } from '../../../backend/engine/open.ts';
import { packageRoot } from '../../../backend/files/package.ts';
import type { Findings } from '../record.ts';
import type { StepContext } from './step.ts';

/** Computed by the host, whatever the device. */
const ofTheHost = ['pickles', 'frechet-distance'];
/** What a software adapter can do in its time. */
const small = ['sd-guidance', 'edm-eps-songunet'];

/** Of the largest expected number, on any device but the CPU. */
const deviceTolerance = 1e-3;

export async function cases({ device, settings, tell }: StepContext): Promise<Findings> {
  const { folders } = await findCases([path.join(packageRoot(), 'test', 'golden', 'cases')]);
  const bySize = folders.map((folder) => ({ folder, size: weightsOf(folder) })).sort((a, b) => a.size - b.size);
  const chosen = bySize.filter(
    ({ folder }) => !ofTheHost.includes(kindOf(folder)) && (!settings.small || small.includes(path.basename(folder))),
  );
  const left = folders.length - chosen.length;
  const notes =
    left > 0 ? [`${left} cases left out: the host computes them, or they are large and the device is slow`] : [];
  const engine = await openDevice(device, settings.threads);
  const judged: Judged[] = [];
  for (const { folder } of chosen) {
    judged.push(judge(await checkCase(folder, engine), device === 'cpu' ? 0 : deviceTolerance));
    tell(described(judged, notes));
  }
  return described(judged, notes);
}

interface Judged {
  readonly report: CaseReport;
  readonly result: 'within its tolerance' | 'within 1e-3' | 'NOT';
  readonly beyond: readonly Comparison[];
}

/** @param tolerance of the largest expected number, where the case's own is too narrow for the device; 0 for none */
export function judge(report: CaseReport, tolerance: number): Judged {
  const own = { ...report, computed: null };
  if (report.status === 'ok') return { report: own, result: 'within its tolerance', beyond: [] };
  const beyond = report.comparisons.filter(({ ok }) => !ok);
  const near = report.status === 'miss' && beyond.every(({ relative }) => relative !== null && relative <= tolerance);
  return { report: own, result: near && tolerance > 0 ? 'within 1e-3' : 'NOT', beyond };
}

function described(judged: readonly Judged[], notes: readonly string[]): Findings {
  const rows = judged.map(({ report, result }) => {
    const { name, comparisons, seconds } = report;
    const tightest = worst(comparisons);
    const share = tightest ? shareOf(tightest) : null;
    return [
      ...[name, result, `${comparisons.length}`, tightest?.name ?? '', tightest ? scientific(tightest.relative) : ''],
      ...[share === null ? '' : `${(100 * share).toFixed(0)} %`, `${seconds.toFixed(1)} s`],
    ];
  });
  const head = [
    'case',
    'result',
    'compared',
    'nearest to its tolerance',
    'its relative error',
    'of its tolerance',
    'took',
  ];
  const data = judged.map(({ report: { name, status, seconds, comparisons, error }, result }) => {
    return { name, status, result, seconds, error: error?.message ?? null, comparisons };
  });
  const failures = judged.filter(({ result }) => result === 'NOT').map(inWords);
  return { table: { head, rows }, notes, failures, data };
}

function inWords({ report: { name, status, error }, beyond }: Judged): string {
  const named = beyond.map((one) => `${one.name} (${scientific(one.relative)})`);
  return `${name}: ${error ? `${status}, ${error.message}` : `outside its tolerance: ${named.join(', ')}`}`;
}

/** The one that uses most of its tolerance. */
function worst(comparisons: readonly Comparison[]): Comparison | undefined {
  return [...comparisons].sort((a, b) => (shareOf(b) ?? 0) - (shareOf(a) ?? 0))[0];
}

/** Null where the tolerance is of another kind. */
function shareOf({ absolute, relative, limit, ok }: Comparison): number | null {
  if (absolute === null || Number.isNaN(absolute)) return ok ? null : Infinity;
  if (limit.absolute !== undefined) return limit.absolute > 0 ? absolute / limit.absolute : null;
  return limit.relative && relative !== null ? relative / limit.relative : null;
}

const scientific = (value: number | null) => (value === null ? '' : value.toExponential(1));

const kindOf = (folder: string) =>
  (JSON.parse(readFileSync(path.join(folder, 'case.json'), 'utf8')) as { kind: string }).kind;

function weightsOf(folder: string): number {
  return statSync(path.join(folder, 'weights.safetensors'), { throwIfNoEntry: false })?.size ?? 0;
}
