/**
 * Keeps the numbers of a run folder beside the others: node --import ./test/sources.mjs test/health/keep.ts RUN healthy 'first-run', or
 * without-regression. The file is test/health/runs/KIND-whole.json.gz.
 */
import fs from 'node:fs';
import path from 'node:path';
import { readHistory } from '../../backend/runs/events/history.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { packRuns, RunRecording, unpackRuns } from './recorded-run.ts';

const [folder, kind, name] = process.argv.slice(2) as [string, string, string];
const file = path.join(import.meta.dirname, 'runs', `${kind}-whole.json.gz`);
const runs = fs.existsSync(file) ? unpackRuns(fs.readFileSync(file)) : {};
const { history } = readHistory(runPaths(folder).events);
const recording = new RunRecording();
for (const tag of history.tags('scalar').filter((known) => !/^(speed|memory|health|probe)[/]/.test(known))) {
  for (const { step, value } of history.points('scalar', tag)) recording.add(step, { scalars: { [tag]: value.value } });
}
fs.writeFileSync(file, packRuns({ ...runs, [name]: recording.curves }));
