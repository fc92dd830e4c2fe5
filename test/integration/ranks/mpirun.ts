/** `dmd` started by mpirun, on this machine. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const dmd = fileURLToPath(new URL('../../../dist/dmd.js', import.meta.url));

/** Why these tests cannot run, or false. */
export const noMpi = (process.env.PATH ?? '')
  .split(path.delimiter)
  .some((folder) => fs.existsSync(path.join(folder, 'mpirun')))
  ? false
  : 'no mpirun (Debian package openmpi-bin)';

/** Everything that a process printed, and its end. */
export interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** A command of its own for every rank; one alone is for `count` of them. */
export function mpirun(cwd: string, count: number, ...commands: readonly (readonly string[])[]): Started {
  const own = commands.length > 1 ? 1 : count;
  const apps = commands.map((args) => ['-np', String(own), process.execPath, dmd, ...args]);
  const args = ['--oversubscribe', '--bind-to', 'none', ...apps.flatMap((app, i) => (i === 0 ? app : [':', ...app]))];
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  return started(spawn('mpirun', args, { cwd, env: { ...process.env, ...root }, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** One process, for comparison. */
export function alone(cwd: string, args: readonly string[]): Started {
  return started(spawn(process.execPath, [dmd, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] }));
}

function started(child: ChildProcess): Started {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (part) => {
      text += part;
    });
  }
  return { child, output: () => text, ended: once(child, 'close').then(([code]) => code as number | null) };
}

/** Process ids by rank, as long as they are there. @param mpirun its process id */
export function ranksOf(mpirun: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const pid of childrenOf(mpirun)) {
    const rank = /^OMPI_COMM_WORLD_RANK=(\d+)$/m.exec(environmentOf(pid))?.[1];
    if (rank !== undefined) found.set(Number(rank), pid);
  }
  return found;
}

export function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', '\n');
  } catch {
    return '';
  }
}

export function isThere(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
