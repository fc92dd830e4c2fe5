/** Before anything is computed: all ranks say what they run on, and each of them sees who differs. */
import { UserError } from '../protocol/errors.ts';
import type { Ranks } from './ranks.ts';

/** What must be the same everywhere, by what people call it. */
export type Facts = Readonly<Record<string, string>>;

/**
 * Every rank comes to the same verdict.
 * @param what the ranks are asked for, for the message
 * @throws UserError('config') that names the ranks that differ, and in what
 */
export async function rollCall(ranks: Ranks, facts: Facts, what = 'the ranks are not alike'): Promise<void> {
  if (ranks.size === 1) return;
  const all = (await ranks.gather(JSON.stringify(facts))).map((text) => JSON.parse(text) as Facts);
  const [leader] = all as [Facts];
  const names = new Set(all.flatMap((own) => Object.keys(own)));
  const differences = [...names].flatMap((name) => {
    const others = all.flatMap((own, rank) =>
      own[name] === leader[name] ? [] : [`${say(own[name])} on rank ${rank}`],
    );
    return others.length > 0 ? [`${name} is ${say(leader[name])} on rank 0, ${others.join(', ')}`] : [];
  });
  if (differences.length === 0) return;
  throw new UserError(
    'config',
    `${what}: ${differences.join('; ')}`,
    'Bring every machine to the same version, config and files.',
  );
}

const say = (value: string | undefined) => value ?? 'missing';
