/** Starts a run as several ranks, which outlive this process: mpirun, detached, with main.ts as each of them. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asUserError } from '../../files/disk.ts';
import { UserError } from '../../protocol/errors.ts';
import { findLauncher, launcherOptions } from '../../ranks/launch/launcher.ts';
import type { WantedRanks } from '../../ranks/launch/wanted.ts';
import type { RunRequest } from '../loop/open.ts';
import type { Answer } from './handshake.ts';
import { rankArgument, readAnswer } from './rank-order.ts';
import type { StartLog } from './run-log.ts';
import { entry, environment, failure, flags, type StartOptions } from './run-program.ts';

const millisecondsBetweenLooks = 50;

/** @returns the process id of mpirun, which ends the ranks in order when told to; throws UserError where nothing can be started */
export async function startRanks(
  wanted: WantedRanks,
  request: RunRequest,
  log: StartLog,
  { cwd, execArgv, signal, program = entry() }: StartOptions,
): Promise<{ answer: Answer; pid: number }> {
  const env = environment();
  const launcher = await findLauncher(env);
  const options = launcherOptions(launcher, wanted, 'ELECTRON_RUN_AS_NODE' in env ? ['ELECTRON_RUN_AS_NODE'] : []);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-ranks-'));
  const file = path.join(folder, 'answer.json');
  try {
    const order = rankArgument({ request, log: log.temporary }, os.hostname(), file);
    const child = spawn(launcher.program, [...options, process.execPath, ...flags(execArgv), program, order], {
      detached: true,
      stdio: ['ignore', log.output, log.output],
      env,
      ...(cwd === undefined ? {} : { cwd }),
      windowsHide: true,
    });
    let end: string | undefined;
    child.once('error', (error) => {
      end = `${launcher.program} cannot be started: ${(asUserError(error, 'start', launcher.program) as Error).message}`;
    });
    child.once('exit', (code, by) => {
      end ??= `${launcher.program} ended before the run began (${by ?? `exit code ${code}`})`;
    });
    child.unref();
    for (;;) {
      const over = end;
      const answer = readAnswer(file) ?? (over === undefined ? undefined : failure(over, log));
      if (answer) return { answer, pid: child.pid ?? 0 };
      if (signal?.aborted) {
        child.kill('SIGTERM');
        throw new UserError('cancelled', 'the start was cancelled');
      }
      await sleep(millisecondsBetweenLooks);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
