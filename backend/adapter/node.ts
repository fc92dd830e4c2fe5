/** What the numbers of a stop stand for: variables that can be opened, and frames inside of a stage. */
import type { z } from '../protocol/config/zod.ts';
import type { debugRequests, TensorLine } from '../protocol/debug-requests.ts';

export const scopeNames = ['Tensors', 'Networks', 'Numbers', 'Settings'] as const;
export type ScopeName = (typeof scopeNames)[number];

type Listed = z.infer<(typeof debugRequests)['debug/inside']['result']>;

/** A listing inside of a stage, and the cursor in it. */
export interface InsideFrame {
  /** '' for the whole stage, else the block. */
  readonly scope: string;
  readonly title: string;
  readonly lines: Listed['lines'];
  /** The line just run, from 0 on. */
  readonly line: number;
}

export type Node =
  | { readonly kind: 'scope'; readonly scope: ScopeName }
  | { readonly kind: 'inside'; readonly frame: InsideFrame; readonly which: 'inputs' | 'outputs' }
  | { readonly kind: 'tensor'; readonly tensor: TensorLine; readonly path: readonly number[] }
  /** What can be waited for of a number: each a variable that a data breakpoint can be set on. */
  | { readonly kind: 'waits'; readonly name: string; readonly value: number }
  /** A tensor too large to be summed up unasked. */
  | { readonly kind: 'summary'; readonly name: string; readonly tensor: TensorLine };
