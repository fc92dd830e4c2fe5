/** The recorded runs beside this file; record.ts makes them anew. */
import fs from 'node:fs';
import path from 'node:path';
import { type RecordedRun, unpackRuns } from './recorded-run.ts';

/** Name and numbers of each; [] where the file is not there. */
export function readRuns(family: string, set: string): [string, RecordedRun][] {
  const file = path.join(
    process.env.DMD_HEALTH_RUNS ?? path.join(import.meta.dirname, 'runs'),
    `${family}-${set}.json.gz`,
  );
  return fs.existsSync(file) ? Object.entries(unpackRuns(fs.readFileSync(file))) : [];
}
