/** Contenders that take turns on one machine, each alone while it works. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Turn } from './contender.ts';

/** Threads of a side that has just worked spin for a while, and would take time from the next one. */
const restMs = 200;

/** @returns the turns of each, in its order; the first ones, which warm up, are over already */
export async function takeTurns(contenders: readonly Contender[], turns: number): Promise<Turn[][]> {
  const all: Turn[][] = contenders.map(() => []);
  for (let turn = 0; turn < turns; turn++) {
    for (let k = 0; k < contenders.length; k++) {
      // Another one begins each time, so that none always comes after the same.
      const i = (k + turn) % contenders.length;
      await sleep(restMs);
      all[i]!.push(await contenders[i]!.turn());
    }
  }
  return all;
}

/** Throws where two sides did not compute the same: their times would mean nothing. */
export async function requireAgreement(ours: Contender, peer: Contender, tolerance = 5e-3): Promise<void> {
  const [mine, theirs] = [await ours.answers(), await peer.answers()];
  for (const [name, wanted] of theirs) {
    const actual = mine.get(name);
    if (!actual) continue;
    let [difference, size] = [0, 0];
    for (let i = 0; i < wanted.length; i++) {
      difference += (actual[i]! - wanted[i]!) ** 2;
      size += wanted[i]! ** 2;
    }
    const error = Math.sqrt(difference / size);
    if (actual.length === wanted.length && error <= tolerance) continue;
    throw new Error(`${peer.who} computes another '${name}': ${error.toExponential(1)} apart, ${tolerance} is allowed`);
  }
}
