/** What mpirun may start: the commands that divide their work. Of any other, every rank would do all of it, in one place. */
import type { Engine } from '../engine/engine.ts';
import { packageVersion } from '../files/package.ts';
import { UserError } from '../protocol/errors.ts';
import { launchedRanks } from '../ranks/launched.ts';
import { alone, type Ranks, RanksFailed } from '../ranks/ranks.ts';
import { rollCall } from '../ranks/roll-call.ts';
import { threadsOf } from '../ranks/threads.ts';
import { listenForStop } from './terminal.ts';

const divided = ['distill', 'teach', 'pairs', 'eval'];

/** Throws UserError('usage') for a command that several ranks cannot share. */
export function refuseRanks(command: string, env: NodeJS.ProcessEnv = process.env): void {
  const launched = launchedRanks(env);
  if (!launched || divided.includes(command)) return;
  const message = `dmd ${command} is one process's work, and ${launched.launcher} started ${launched.size} of it`;
  throw new UserError('usage', message, `Start it without mpirun. What ranks share is dmd ${divided.join(', dmd ')}.`);
}

/**
 * Does a command's work as the rank that this process is, be it the only one; nothing of MPI is loaded then. A rank whose work ends
 * because another one failed is silent, unless it leads.
 */
export async function asRank(work: (ranks: Ranks) => Promise<void>): Promise<void> {
  const launched = launchedRanks(process.env);
  if (!launched) return work(alone);
  const { joinRanks } = await import('../ranks/mpi/mpi-ranks.ts');
  const ranks = await joinRanks(launched);
  // The leader is told as well, and says when to end. If there is none any more, nobody will.
  const listening = listenForStop(() => ranks.hurry());
  try {
    await work(ranks);
  } catch (error) {
    await ranks.fail(error);
    if (ranks.rank === 0 || !(error instanceof RanksFailed)) throw error;
  } finally {
    listening.dispose();
    await ranks.close();
  }
}

/**
 * Before anything is computed.
 * @param facts besides the software: short values, anything that JSON knows
 * @throws UserError('config') that names ranks and differences
 */
export function greetRanks(ranks: Ranks, facts: Readonly<Record<string, unknown>>): Promise<void> {
  const own = Object.entries(facts).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === 'string' ? value : JSON.stringify(value)]],
  );
  const software = { version: packageVersion(), Node: process.version, processor: process.arch };
  return rollCall(ranks, { ...software, ...Object.fromEntries(own) });
}

/** Throws UserError('usage') where some rank would have nothing to do, whatever is divided. */
export function requireWork({ size }: Ranks, count: number, what: string): void {
  if (count >= size) return;
  throw new UserError('usage', `${size} ranks are to share ${count} ${what}`, 'Start fewer ranks.');
}

/** The device that the leader chose, on every rank, with its share of the machine's cores. Throws UserError('device'). */
export async function openShared(
  { device, threads }: { readonly device: string; readonly threads: number },
  ranks: Ranks,
): Promise<Engine> {
  const { openEngine } = await import('../engine/devices.ts');
  if (ranks.size === 1) return (await openEngine({ device, threads })).engine;
  const own = threads || threadsOf(ranks);
  if (ranks.rank > 0) return (await openEngine({ device: await ranks.tell(''), threads: own })).engine;
  const opened = await openEngine({ device, threads: own });
  await ranks.tell(opened.device);
  return opened.engine;
}
