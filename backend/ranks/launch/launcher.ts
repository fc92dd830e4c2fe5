/** The program that starts ranks: found on the PATH, asked what it is, and told what to start. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { onDisk } from '../../files/disk.ts';
import { readText } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import type { WantedRanks } from './wanted.ts';

export interface Launcher {
  readonly program: string;
  readonly kind: 'Open MPI' | 'MPICH' | 'Intel MPI';
  readonly version: string;
}

/** A machine that has answered nothing for four seconds is lost. Open MPI by itself waits for eight minutes. */
const noticeSilence = Object.entries({ time: 1, intvl: 1, probes: 3 }).flatMap(([name, value]) => [
  '--mca',
  `oob_tcp_keepalive_${name}`,
  String(value),
]);

type Environment = Readonly<Record<string, string | undefined>>;

const programs = ['mpirun', 'mpiexec'];
const install =
  'Install one (on Debian: sudo apt-get install openmpi-bin), or train in one process: --set launch.mpi.ranks=1.';
const millisecondsForVersion = 10_000;

/** What each kind says to `--version`, with the number in it. */
const signatures: readonly (readonly [Launcher['kind'], RegExp])[] = [
  ['Open MPI', /\(Open MPI\)\s+(\S+)/],
  ['Intel MPI', /Intel\(R\) MPI Library.*?Version\s+(.+)/],
  ['MPICH', /HYDRA build details:[\s\S]*?Version:\s+(\S+)/],
];

/**
 * Seconds between what Open MPI does when a rank is lost or it is told to end itself: a word to the ranks, SIGTERM, SIGKILL. Its one
 * second is short for the checkpoint of a large model, and all must be gone within ten.
 */
const secondsToEnd = 3;

/** Throws UserError('device') where there is none, or one that is not known. */
export async function findLauncher(env: Environment): Promise<Launcher> {
  const program = launcherProgram(env);
  const said = await versionOf(program, env);
  for (const [kind, pattern] of signatures) {
    const version = pattern.exec(said)?.[1]?.trim();
    if (version !== undefined) return { program, kind, version };
  }
  throw new UserError(
    'device',
    `${program} is of no MPI that is known here: it says ${JSON.stringify(said.trim().slice(0, 200))}`,
    `Known are ${signatures.map(([kind]) => kind).join(', ')}. Start the ranks with it yourself: mpirun -np N dmd ...`,
  );
}

/**
 * Options of a launcher, before the program that each rank is.
 * @param pass environment variables that ranks on other machines need
 * @throws UserError as `requireMachines`
 */
export function launcherOptions(
  { kind }: Launcher,
  { ranks, hostfile }: WantedRanks,
  pass: readonly string[],
): string[] {
  if (hostfile !== undefined) requireMachines(hostfile);
  const count = ['-np', String(ranks)];
  if (kind !== 'Open MPI') return [...(hostfile === undefined ? [] : ['-f', hostfile]), ...count];
  return [
    // Whoever asks for more ranks than this machine has cores gets them; of others the file says how many.
    ...(hostfile === undefined ? ['--oversubscribe'] : ['--hostfile', hostfile, ...noticeSilence]),
    ...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []),
    ...['--bind-to', 'none', '--mca', 'odls_base_sigkill_timeout', String(secondsToEnd)],
    ...pass.flatMap((name) => ['-x', name]),
    ...count,
  ];
}

/** Nothing is started. Throws UserError('device') where there is none. */
export function launcherProgram(env: Environment): string {
  const program = onPath(env);
  if (program !== undefined) return program;
  throw new UserError('device', 'several ranks need mpirun, and neither it nor mpiexec is on the PATH', install);
}

/** Throws UserError('config' or 'io') for a list of machines that names none, or cannot be read. */
export function requireMachines(hostfile: string): void {
  const lines = onDisk('read', hostfile, () => readText(hostfile, 'config')).split(/\r?\n/);
  if (lines.some((line) => line.replace(/#.*/, '').trim() !== '')) return;
  throw new UserError('config', `${hostfile} names no machine`, 'Name one a line, e.g. "node1 slots=2".');
}

/** Only whole folders: one that is relative would be a folder of whatever is worked on. */
function onPath(env: Environment): string | undefined {
  const folders = (env.PATH ?? env.Path ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return programs.flatMap((name) => folders.map((folder) => path.join(folder, name + suffix))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

async function versionOf(program: string, env: Environment): Promise<string> {
  try {
    const options = { timeout: millisecondsForVersion, encoding: 'utf8', env: { ...env } } as const;
    const { stdout, stderr } = await promisify(execFile)(program, ['--version'], options);
    return `${stdout}\n${stderr}`;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new UserError('device', `${program} does not say which version it is: ${why}`, install, { cause });
  }
}
