/** What of a run's config may change when it is resumed: everything its state and its earlier draws do not depend on. */
import type { Config } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';

const fixed: Readonly<Record<Config['kind'], readonly string[]>> = {
  distill: ['kind', 'seed', 'teacher', 'generator.sigma', 'regression.pairs'],
  teach: ['kind', 'seed', 'network', 'data'],
};

/** Throws UserError('config') that names a key which a resumed run cannot change. */
export function checkChanges(before: Config, after: Config): void {
  for (const key of fixed[before.kind]) {
    if (JSON.stringify(valueAt(before, key)) === JSON.stringify(valueAt(after, key))) continue;
    throw new UserError('config', `${key} cannot change when a run is resumed`, 'Start a new run with it.');
  }
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
}
