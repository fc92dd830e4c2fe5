/** Runs one step in a process of its own, up to its time limit. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Findings, nothing, type StepStatus } from './record.ts';
import type { StepContext, StepMessage } from './steps/step.ts';

export interface StepResult {
  readonly status: StepStatus;
  readonly why: string;
  readonly seconds: number;
  readonly findings: Findings;
}

export type StepCall = Omit<StepContext, 'tell'> & { readonly id: string };

const here = (url: URL) => fileURLToPath(url);
const worker = here(new URL('./gpu-step.worker.ts', import.meta.url));
const contractWorker = here(new URL('./gpu-contract.worker.ts', import.meta.url));
const contractReporter = new URL('./contract-reporter.mjs', import.meta.url).href;

/** @param signal ends the step; what it found until then stays */
export function runStep({ id, device, ...context }: StepCall, signal: AbortSignal): Promise<StepResult> {
  const start = performance.now();
  const child = id === 'contract' ? contract(device) : started(worker, [id, device, JSON.stringify(context)]);
  let [findings, complaint, ended]: [Findings, string, boolean] = [nothing, '', false];
  child.stderr?.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(-4000);
  });
  return new Promise((resolve) => {
    const finish = (status: StepStatus, why: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupt);
      child.kill('SIGKILL');
      resolve({ status, why, seconds: (performance.now() - start) / 1000, findings });
    };
    const interrupt = () => finish('interrupted', 'it was interrupted');
    const timer = setTimeout(
      () => finish('slow', `broken off after ${Math.round(context.limit)} s`),
      context.limit * 1000,
    );
    signal.addEventListener('abort', interrupt);
    if (signal.aborted) interrupt();
    child.on('message', (message: StepMessage) => {
      if ('absent' in message) return finish('absent', message.absent);
      findings = message.findings;
      if (message.end) ended = true;
    });
    child.on('error', (error) => finish('failed', `its process did not start: ${error.message}`));
    child.on('close', (code, killedBy) => {
      const [failure = ''] = findings.failures;
      if (ended) return finish(failure === '' ? 'passed' : 'failed', failure);
      finish('failed', `its process ended early (${killedBy ?? `exit code ${code}`})${said(complaint)}`);
    });
  });
}

/** Without the flags of this process's own tests, but with those by which it understands its sources. */
function started(script: string, args: readonly string[], flags: readonly string[] = []): ChildProcess {
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const;
  // A test that runs this is no test that its children belong to.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return fork(script, args, { execArgv: [...loaders(), ...flags], stdio: [...stdio], env });
}

const contract = (device: string) =>
  started(contractWorker, [device], [`--test-reporter=${contractReporter}`, '--test-reporter-destination=stdout']);

function loaders(): string[] {
  const flags = process.execArgv;
  return flags.flatMap((flag, i) => {
    if (/^--(import|require|loader)=/.test(flag)) return [flag];
    return ['--import', '--require', '--loader', '-r'].includes(flag) ? [flag, flags[i + 1]!] : [];
  });
}

/** The line of a stack that says what happened. */
function said(complaint: string): string {
  const lines = complaint.split('\n').map((line) => line.trim());
  const error = lines.find((line) => /^(\w*Error|dmd)\b.*:/.test(line)) ?? lines.filter((line) => line !== '').at(-1);
  return error ? `: ${error}` : '';
}
