/** What mpirun may start: the commands that divide their work. Of any other, every rank would do all of it, in one place. */
import { UserError } from '../protocol/errors.ts';
import { launchedRanks } from '../ranks/launched.ts';

const divided = ['distill', 'teach'];

/** Throws UserError('usage') for a command that several ranks cannot share. */
export function refuseRanks(command: string, env: NodeJS.ProcessEnv = process.env): void {
  const launched = launchedRanks(env);
  if (!launched || divided.includes(command)) return;
  const message = `dmd ${command} is one process's work, and ${launched.launcher} started ${launched.size} of it`;
  throw new UserError(
    'usage',
    message,
    `Start it without mpirun. What ranks share is dmd ${divided.join(' and dmd ')}.`,
  );
}
