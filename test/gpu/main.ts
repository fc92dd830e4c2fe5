/**
 * `npm run gpu`: everything that a person with a graphics card can find out about this project on it, step by step, each in a
 * process of its own and within its time. Writes gpu.html and gpu.json after every step. See docs/gpu.md.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DeviceName } from '../../backend/engine/open.ts';
import { surroundings } from '../bench/table/surroundings.ts';
import { page } from './page.ts';
import { machineStep, type PlannedStep, reasonAgainst, stepsOf, verdictOf, wanted, wholeLimit } from './plan.ts';
import { type GpuRecord, nothing, type StepRecord } from './record.ts';
import { help, parseSettings, type Settings } from './settings.ts';
import { runStep } from './step-process.ts';
import type { AdapterData } from './steps/step.ts';

/** Returns the exit code: 0, 1 where something failed that should pass, 2 for a wrong call, 130 when it was interrupted. */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    say(help);
    return 0;
  }
  let settings: Settings;
  try {
    settings = parseSettings(args);
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n\n${help}\n`);
    return 2;
  }
  const ending = new AbortController();
  const interrupt = () => ending.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const work = mkdtempSync(path.join(tmpdir(), 'dmd-gpu-'));
  try {
    const { ok, verdict } = await everything(settings, work, ending.signal);
    say(`\n${verdict}\nReport: ${path.join(settings.out, 'gpu.html')} and gpu.json beside it.`);
    return ending.signal.aborted ? 130 : ok ? 0 : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function everything(settings: Settings, work: string, signal: AbortSignal): Promise<GpuRecord> {
  const about = { format: 1 as const, on: surroundings(null), began: new Date().toISOString(), options: settings };
  const end = performance.now() + 1000 * wholeLimit * settings.patience;
  const steps: StepRecord[] = [];
  const record = () => ({ ...about, ...verdictOf(steps, settings), steps });
  const take = async (planned: PlannedStep, device: DeviceName | '') => {
    const done = await step(planned, device, { settings, work, signal });
    steps.push(done);
    write(settings.out, record());
    return done;
  };
  mkdirSync(settings.out, { recursive: true });
  const { findings } = await take(machineStep, '');
  for (const device of settings.devices) {
    if (signal.aborted) break;
    const [first, ...others] = stepsOf(device) as [PlannedStep, ...PlannedStep[]];
    const leaveOut = (planned: PlannedStep, status: 'absent' | 'left out', why: string) =>
      steps.push({ id: planned.id, title: planned.title, device, status, why, seconds: 0, findings: nothing });
    const against = reasonAgainst(device, settings, (findings.data as AdapterData | undefined) ?? null);
    if (against !== '') {
      say(`${device}: ${against}.`);
      leaveOut(first, 'absent', against);
      continue;
    }
    if ((await take(first, device)).status !== 'passed') continue;
    for (const planned of others) {
      if (signal.aborted || !wanted(planned, settings)) continue;
      if (performance.now() < end) await take(planned, device);
      else leaveOut(planned, 'left out', 'the time of the whole was up');
    }
  }
  write(settings.out, record());
  return record();
}

interface Around {
  readonly settings: Settings;
  readonly work: string;
  readonly signal: AbortSignal;
}

async function step({ id, title, limit }: PlannedStep, device: DeviceName | '', around: Around): Promise<StepRecord> {
  const { settings, work, signal } = around;
  const label = device === '' ? title : `${device}: ${title}`;
  const seconds = limit * settings.patience;
  say(`${label} (at most ${Math.round(seconds)} s) ...`);
  const result = await runStep({ id, device: device as DeviceName, settings, work, limit: seconds }, signal);
  const { table, notes } = result.findings;
  const found = result.status === 'passed' && table ? `, ${table.rows.length} lines` : '';
  say(`  ${result.status} in ${result.seconds.toFixed(1)} s${found}${result.why === '' ? '' : `: ${result.why}`}`);
  if (id === machineStep.id) for (const [name, kind] of table?.rows ?? []) say(`  ${name} (${kind})`);
  if (id === machineStep.id) for (const note of notes) say(`  ${note}`);
  return { id, title, device, ...result };
}

function write(out: string, record: GpuRecord): void {
  writeFileSync(path.join(out, 'gpu.json'), `${JSON.stringify(record, null, 1)}\n`);
  writeFileSync(path.join(out, 'gpu.html'), page(record));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
