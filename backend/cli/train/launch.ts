/** A command that starts itself again as several ranks, and is their terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { asUserError } from '../../files/disk.ts';
import { exitCodes } from '../../protocol/errors.ts';
import { findLauncher, launcherOptions } from '../../ranks/launch/launcher.ts';
import { starterVariables, stopWord } from '../../ranks/launch/starter.ts';
import type { WantedRanks } from '../../ranks/launch/wanted.ts';
import type { Output } from '../output.ts';
import { listenForStop, outputIsOptional } from '../terminal.ts';

/** @returns the exit code; throws UserError where nothing can be started */
export async function launchRanks(wanted: WantedRanks, output: Output): Promise<number> {
  const launcher = await findLauncher(process.env);
  const options = launcherOptions(launcher, wanted, Object.keys(starterVariables));
  output.line(`Starting ${wanted.ranks} ranks with ${launcher.kind} ${launcher.version}.`);
  const child = spawn(launcher.program, [...options, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, ...starterVariables },
    stdio: ['pipe', 'inherit', 'inherit'],
    // Ctrl-C is for this process, which passes on what it means.
    detached: true,
  });
  child.stdin.on('error', () => {}); // it has ended
  outputIsOptional();
  let asked = 0;
  const listening = listenForStop(() => {
    asked += 1;
    if (asked === 1) child.stdin.write(stopWord);
    else child.kill(asked === 2 ? 'SIGTERM' : 'SIGKILL');
  });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return asked > 0 ? exitCodes.cancelled : 0;
    return code ?? (asked > 0 ? exitCodes.cancelled : 1);
  } catch (error) {
    throw asUserError(error, 'start', launcher.program);
  } finally {
    listening.dispose();
    child.stdin.destroy();
  }
}
