/** Checks one case: computes everything its kind can, and holds every expected quantity against it. */
import { dirname, join, resolve } from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import { UserError } from '../../protocol/errors.ts';
import { Case, limitOf, readCaseJson } from './case.ts';
import { type Comparison, compare, compareScalar, missing } from './compare.ts';
import type { Computed } from './kind.ts';
import { kinds } from './kinds.ts';

/** `damaged`: the case is not what it says; `failed`: the implementation broke while checking it. */
export type CaseStatus = 'ok' | 'miss' | 'unknown' | 'damaged' | 'failed';

export interface CaseReport {
  readonly name: string;
  readonly folder: string;
  readonly kind: string;
  readonly status: CaseStatus;
  readonly comparisons: readonly Comparison[];
  /** Why there are no comparisons. */
  readonly error: Error | null;
  readonly seconds: number;
  readonly computed: Computed | null;
  /** Names of arrays that the case keeps as whole numbers. */
  readonly integers: ReadonlySet<string>;
}

/** Never throws for what is wrong with the case; throws UserError('device') when the device fails. */
export async function checkCase(folder: string, engine: Engine): Promise<CaseReport> {
  const start = performance.now();
  const name = resolve(folder).split(/[\\/]/).at(-1)!;
  let kind = '';
  const report = (status: CaseStatus, rest: Partial<CaseReport>): CaseReport => {
    const seconds = (performance.now() - start) / 1000;
    return {
      name,
      folder,
      kind,
      status,
      comparisons: [],
      error: null,
      computed: null,
      integers: new Set(),
      ...rest,
      seconds,
    };
  };
  try {
    const json = await readCaseJson(folder);
    kind = json.kind;
    const check = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (!check) return report('unknown', {});
    const theCase = await Case.open(folder, json);
    const computed = await check({ case: theCase, engine, openSibling: (other) => openSibling(folder, other) });
    const comparisons = compareAll(theCase, computed);
    const ok = comparisons.length > 0 && comparisons.every((comparison) => comparison.ok);
    const integers = new Set(theCase.expected.flatMap(({ name, array }) => (array.integer ? [name] : [])));
    return report(ok ? 'ok' : 'miss', { comparisons, computed: onlyNamed(theCase, computed), integers });
  } catch (error) {
    if (error instanceof UserError && error.kind === 'device') throw error;
    return report(error instanceof UserError ? 'damaged' : 'failed', { error: error as Error });
  }
}

/** The case that another one refers to lies beside it. */
async function openSibling(folder: string, name: string): Promise<Case> {
  const other = join(dirname(resolve(folder)), name);
  return Case.open(other, await readCaseJson(other));
}

function compareAll(theCase: Case, { arrays, scalars, limits, further = [] }: Computed): Comparison[] {
  const ofArrays = theCase.expected.map(({ name, array, spec }) => {
    const limit = limits?.get(name) ?? limitOf(spec);
    const actual = arrays.get(name);
    return actual ? compare(name, actual, array, limit) : missing(name, limit);
  });
  const ofScalars = Object.entries(theCase.json.scalars).map(([name, { value, tolerance }]) => {
    const limit = limits?.get(name) ?? limitOf({ tolerance });
    const actual = scalars.get(name);
    return actual === undefined ? missing(name, limit) : compareScalar(name, actual, value, limit);
  });
  // A kind that has its own rule for an array (rows of it, say) gives the comparison itself.
  const replaced = new Set(further.map(({ name }) => name));
  return [...ofScalars, ...ofArrays].filter(({ name }) => !replaced.has(name)).concat(further);
}

/** Without what the computation brought along and the case does not ask for. */
function onlyNamed(theCase: Case, computed: Computed): Computed {
  const arrays = new Map([...computed.arrays].filter(([name]) => theCase.expects(name)));
  const scalars = new Map([...computed.scalars].filter(([name]) => name in theCase.json.scalars));
  return { ...computed, arrays, scalars };
}
