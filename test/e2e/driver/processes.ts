/** Processes as Linux shows them under /proc: who descends from whom, and which ports they listen on. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** The command line, its words separated by spaces. */
  readonly command: string;
}

/** Every process whose command line can be read; a zombie is not one. */
export function processes(): ProcessInfo[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = attempt(() => readFileSync(`/proc/${name}/stat`, 'utf8'));
    const command = attempt(() => readFileSync(`/proc/${name}/cmdline`, 'utf8'));
    if (!stat || !command) return [];
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return [{ pid: Number(name), parent, command: command.split('\0').join(' ').trim() }];
  });
}

export function isAlive(pid: number): boolean {
  return processes().some((process) => process.pid === pid);
}

/** All descendants of a process. */
export function descendants(pid: number, all = processes()): ProcessInfo[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendants(child.pid, all)]);
}

/** Every process that was started, however indirectly, with this text in its environment. */
export function withEnvironment(text: string): ProcessInfo[] {
  return processes().filter(({ pid }) => attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))?.includes(text));
}

/** TCP and UDP ports that a process listens on, on any address. */
export function listeningPorts(pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      return target?.match(/^socket:\[(\d+)\]$/)?.[1] ?? [];
    }),
  );
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) => {
    const lines = (attempt(() => readFileSync(`/proc/${pid}/net/${table}`, 'utf8')) ?? '').split('\n').slice(1);
    return lines.flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const waits = table.startsWith('udp') || state === '0A';
      return waits && inode && sockets.has(inode) ? [Number.parseInt(local!.split(':')[1]!, 16)] : [];
    });
  });
}

/** Undefined when the process ended meanwhile, or is another user's. */
export function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
