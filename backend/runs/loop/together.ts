/** What the leader of several ranks and those who follow it do alike: say who they are, and how long an iteration took them. */
import { createHash } from 'node:crypto';
import { packageVersion } from '../../files/package.ts';
import type { Inputs } from '../../models/input-file.ts';
import { applyOverrides, type Config } from '../../protocol/config/index.ts';
import type { Ranks } from '../../ranks/ranks.ts';
import { type Facts, rollCall } from '../../ranks/roll-call.ts';
import type { RunRequest } from './open.ts';

/** What the leader opened, for everybody to open alike. */
export interface Begun {
  readonly config: Config;
  readonly folder: string;
  /** The leader's choice. */
  readonly device: string;
}

/** Before anything is opened. Throws UserError('config') that names ranks and differences. */
export function greet(ranks: Ranks, { start, set }: RunRequest): Promise<void> {
  const software = { version: packageVersion(), Node: process.version, processor: process.arch };
  return rollCall(ranks, { ...software, ...('config' in start ? configFacts(applyOverrides(start.config, set)) : {}) });
}

/** Files of another content would train another model. Throws UserError('config'). */
export function compareInputs(ranks: Ranks, inputs: Inputs): Promise<void> {
  const contents = Object.entries(inputs).map(([key, { sha256 }]) => [`the content of ${key}`, sha256.slice(0, 12)]);
  return rollCall(ranks, Object.fromEntries(contents), "the ranks' files are not alike");
}

/** After an iteration. @returns what share of it each rank waited for others, 0 to 1, as numbers to record; {} alone */
export async function waitingShares(ranks: Ranks, seconds: number): Promise<Record<string, number>> {
  if (ranks.size === 1) return {};
  const shares = new Float64Array(ranks.size);
  shares[ranks.rank] = Math.min(1, ranks.takeWaited() / seconds);
  await ranks.sum(shares);
  return Object.fromEntries(Array.from(shares, (share, rank) => [`ranks/waiting of rank ${rank}`, share]));
}

/** Long values by their hash. */
function configFacts(config: Config): Facts {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const text = JSON.stringify(value);
      return [key, text.length < 60 ? text : createHash('sha256').update(text).digest('hex').slice(0, 12)];
    }),
  );
}
