/** What is fuzzed: how inputs of a kind are made, and what this program does with them. */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Dice } from './dice.ts';
import type { Files } from './files.ts';

export interface Reader {
  readonly name: string;
  /** The same for the same dice. At most 2 MB. */
  make(dice: Dice): Files;
  /**
   * Reads the files in a folder, all of what this program would read of them. A UserError, thrown or returned, is a refusal, and so is
   * what `isRefusal` takes; every other error is a finding.
   */
  read(folder: string): Promise<unknown>;
  isRefusal?(error: unknown): boolean;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));

const kept = new Map<string, unknown>();

/** Made once in a process. */
export function once<T>(key: string, make: () => T): T {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key) as T;
}

/** A file of this repository. */
export const ours = (name: string): Buffer => once(`file ${name}`, () => fs.readFileSync(`${repository}${name}`));
