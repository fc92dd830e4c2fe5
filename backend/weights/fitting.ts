/** Which of a file's sets of weights is taken for a network whose names and shapes are known: one that fits, the average first. */
import { refuseForeignNames } from './foreign-names.ts';
import { namingsOf } from './names.ts';
import type { Choose } from './torch/read.ts';
import { chooseSet, nameOfSet, type SetPath } from './weight-sets.ts';

type Expected = ReadonlyMap<string, readonly number[]>;

/** A chooser among nested sets. Where none fits, the usual choice: what is wrong with it is for the caller to say. */
export function fittingSet(expected: Expected, key?: string): Choose {
  return (sets) => {
    if (sets.length === 1) return sets[0]!;
    const named = sets.flatMap((set) => {
      const namings = namingsOf(set.tensors, expected).filter(({ fits }) => fits);
      return namings.map((naming) => ({ set, path: [...set.path, ...naming.path] }));
    });
    const others = sets.filter((set) => !named.some((one) => one.set === set)).map((set) => ({ set, path: set.path }));
    const known = named.length > 0 ? named : others;
    const { set } = key === undefined ? chooseSet(known) : chooseSet([...named, ...others], key);
    return { ...set, others: named.filter((one) => one.set !== set).map(({ path }) => path) };
  };
}

export interface Named<T> {
  /** By the network's names. */
  readonly tensors: Map<string, T>;
  /** The keys that led to them, with dots between; '' where they are all that there is. */
  readonly key: string;
  /** Those of other sets that would have fitted as well. */
  readonly others: readonly string[];
}

/**
 * The tensors of one set under the network's names, those that fit nothing among them. A `Refusal` where several networks
 * of these names are in it and there is no telling which is meant, or none is under `key`.
 * @param outer the keys that lead to the set
 * @param beside those that lead to other sets of the file that fit
 */
export function underNetworkNames<T extends { readonly shape: readonly number[] }>(
  tensors: ReadonlyMap<string, T>,
  expected: Expected,
  outer: SetPath = [],
  key?: string,
  beside: readonly SetPath[] = [],
): Named<T> {
  const namings = namingsOf(tensors, expected).map((naming) => ({ ...naming, path: [...outer, ...naming.path] }));
  if (namings.every(({ fits }) => !fits)) refuseForeignNames(tensors.keys());
  const chosen = chooseSet(namings, key);
  const { path, names } = chosen;
  const others = [...namings.filter((naming) => naming !== chosen).map((naming) => naming.path), ...beside];
  const renamed = Array.from(names, ([name, inNetwork]) => [inNetwork, tensors.get(name)!] as const);
  return { tensors: new Map(renamed), key: path.join('.'), others: others.map(nameOfSet) };
}
