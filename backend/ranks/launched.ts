/** What a launcher (mpirun, mpiexec, srun) told this process of the others, in its environment. */
export interface Launched {
  readonly rank: number;
  readonly size: number;
  readonly local: { readonly rank: number; readonly size: number };
  /** Whose words these are: they say which library the ranks meet through. */
  readonly launcher: 'Open MPI' | 'MPICH';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Null where this process was started by itself, or as one rank of one. */
export function launchedRanks(env: Environment): Launched | null {
  const found = openMpi(env) ?? mpich(env) ?? srun(env);
  return found && found.size > 1 ? found : null;
}

/** How many of this process a launcher started, which may be one; null where none did. */
export function startedRanks(env: Environment): number | null {
  return (openMpi(env) ?? mpich(env) ?? srun(env))?.size ?? null;
}

function openMpi(env: Environment): Launched | null {
  const [rank, size] = [wholeNumber(env.OMPI_COMM_WORLD_RANK), wholeNumber(env.OMPI_COMM_WORLD_SIZE)];
  if (rank === null || size === null) return null;
  const local = localOf(env.OMPI_COMM_WORLD_LOCAL_RANK, env.OMPI_COMM_WORLD_LOCAL_SIZE, { rank, size });
  return { rank, size, local, launcher: 'Open MPI' };
}

/** Hydra, and what speaks as it does. */
function mpich(env: Environment): Launched | null {
  const [rank, size] = [wholeNumber(env.PMI_RANK), wholeNumber(env.PMI_SIZE)];
  if (rank === null || size === null) return null;
  const local = localOf(env.MPI_LOCALRANKID ?? env.SLURM_LOCALID, env.MPI_LOCALNRANKS, { rank, size });
  return { rank, size, local, launcher: 'MPICH' };
}

/** `srun --mpi=pmix`, which starts Open MPI's ranks without its mpirun. */
function srun(env: Environment): Launched | null {
  if (env.PMIX_RANK === undefined) return null;
  const [rank, size] = [wholeNumber(env.SLURM_PROCID), wholeNumber(env.SLURM_STEP_NUM_TASKS)];
  if (rank === null || size === null) return null;
  const local = localOf(env.SLURM_LOCALID, env.SLURM_NTASKS_PER_NODE, { rank, size });
  return { rank, size, local, launcher: 'Open MPI' };
}

function localOf(rank: string | undefined, size: string | undefined, all: { rank: number; size: number }) {
  return { rank: wholeNumber(rank) ?? all.rank, size: wholeNumber(size) ?? all.size };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null;
}
