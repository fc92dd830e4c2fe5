/** The table of operations: every operation a graph can hold has at least one entry. */
import { elementwiseCases } from './elementwise-cases.ts';
import { layoutCases } from './layout-cases.ts';
import { networkCases } from './network-cases.ts';
import type { OpCase } from './op-case.ts';
import { poolCases } from './pool-cases.ts';
import { tokenCases } from './token-cases.ts';

export const opCases: readonly OpCase[] = [
  ...elementwiseCases,
  ...layoutCases,
  ...networkCases,
  ...poolCases,
  ...tokenCases,
];
