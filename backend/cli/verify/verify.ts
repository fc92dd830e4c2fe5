/** `dmd verify`: finds the cases, checks one after the other, prints, and decides the exit code. */
import { basename, resolve } from 'node:path';
import { openEngine } from '../../engine/devices.ts';
import { exitCodes, UserError } from '../../protocol/errors.ts';
import type { Output } from '../output.ts';
import { type CaseReport, checkCase } from './check-case.ts';
import { dumpCase } from './dump.ts';
import { findCases } from './find-cases.ts';
import { reportCase, reportSummary } from './report.ts';

export interface VerifyOptions {
  readonly dump?: string;
  readonly device: string;
  readonly threads: number;
  readonly verbose?: boolean;
}

/** Returns the exit code: 0, 1 for a miss, 3 for a damaged case or when nothing could be checked. */
export async function verifyCases(paths: readonly string[], options: VerifyOptions, output: Output): Promise<number> {
  const { folders, files } = await findCases(paths);
  if (options.dump) refuseEqualNames(folders);
  const { engine, device, why } = await openEngine(options);
  if (options.device === 'auto') output.line(`device ${device}: ${why}\n`);
  const reports: CaseReport[] = [];
  try {
    for (const folder of folders) {
      const report = await checkCase(folder, engine);
      reportCase(report, output, options.verbose ?? false);
      if (options.dump) await dumpCase(options.dump, report);
      reports.push({ ...report, computed: null });
    }
  } finally {
    await engine.dispose();
  }
  reportSummary(reports, files, output);
  return exitCode(reports);
}

function exitCode(reports: readonly CaseReport[]): number {
  const statuses = new Set(reports.map(({ status }) => status));
  if (statuses.has('miss') || statuses.has('failed')) return 1;
  if (statuses.has('damaged')) return exitCodes.data;
  return statuses.has('ok') ? 0 : exitCodes.data;
}

function refuseEqualNames(folders: readonly string[]): void {
  const names = folders.map((folder) => basename(resolve(folder)));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (!twice) return;
  const message = `Two cases are called ${twice}: with --dump they would overwrite each other.`;
  throw new UserError('usage', message, 'Check them one after the other, with another --dump each.');
}
