/** What a kind of case is to `dmd verify`: a function that computes what the case expects. One file per kind. */
import type { Engine } from '../../engine/engine.ts';
import type { Case } from './case.ts';
import type { Comparison, Limit, NumberArray } from './compare.ts';

export interface Computed {
  /** By the names of case.json. What is expected and not here is a miss. */
  readonly arrays: ReadonlyMap<string, NumberArray>;
  readonly scalars: ReadonlyMap<string, number>;
  /** Tolerances where they are not simply those of case.json. */
  readonly limits?: ReadonlyMap<string, Limit>;
  /** Comparisons of things that are neither arrays nor scalars of case.json. */
  readonly further?: readonly Comparison[];
}

export interface KindContext {
  readonly case: Case;
  readonly engine: Engine;
  /** Opens another case that this one refers to: a folder beside it. */
  openSibling(name: string): Promise<Case>;
}

export type Kind = (context: KindContext) => Promise<Computed>;
