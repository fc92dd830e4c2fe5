/**
 * Each rank of a machine computes on a graphics card of its own. CUDA's libraries see the cards that a variable names, and read it when they
 * load: call this in the main thread, before anything is opened.
 */
import fs from 'node:fs';
import type { Launched } from './launched.ts';

const variable = 'CUDA_VISIBLE_DEVICES';

/**
 * Leaves to this rank one of the cards that it may use; where they are fewer than the machine's ranks, several share one.
 * @param env is changed; a launcher that gave each rank one card already has chosen
 * @param cards of the machine
 */
export function keepOwnCard(
  { local }: Pick<Launched, 'local'>,
  env: Record<string, string | undefined>,
  cards: number = cardsHere(),
): void {
  const given = env[variable]?.split(',').filter(Boolean);
  const usable = given ?? Array.from({ length: cards }, (_, card) => String(card));
  if (usable.length > 1) env[variable] = usable[local.rank % usable.length];
}

/** NVIDIA's driver on Linux has a folder for each; elsewhere nobody says. */
function cardsHere(): number {
  try {
    return fs.readdirSync('/proc/driver/nvidia/gpus').length;
  } catch {
    return 0;
  }
}
