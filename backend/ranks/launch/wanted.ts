/** How many ranks a config wants, and whether its process is the one to start them. */
import { UserError } from '../../protocol/errors.ts';
import { startedRanks } from '../launched.ts';

export interface WantedRanks {
  readonly ranks: number;
  /** Absolute. */
  readonly hostfile?: string | undefined;
}

/**
 * @param env of this process
 * @returns null where it is one rank itself, or the config wants no more than one
 * @throws UserError('config') where a launcher started another number of them: an MPI does not start inside an MPI
 */
export function ranksToStart(
  { launch: { mpi: wanted } }: { readonly launch: { readonly mpi: WantedRanks } },
  env: Readonly<Record<string, string | undefined>>,
): WantedRanks | null {
  if (wanted.ranks === 1) return null;
  const started = startedRanks(env);
  if (started === null) return wanted;
  if (started === wanted.ranks) return null;
  throw new UserError(
    'config',
    `mpirun started ${started} of this process, and launch.mpi.ranks asks for ${wanted.ranks}: an MPI cannot be started inside an MPI`,
    `Start it without mpirun, or say --set launch.mpi.ranks=${started}.`,
  );
}
