/** Where a stage's tensors come from. */
import type { Feed } from '../engine/engine.ts';
import type { Graph } from '../graph/graph.ts';

/** How a stage came to its outputs: for whoever wants to see inside. */
export interface Origin {
  readonly graph: Graph;
  /** Outputs of the stages before it in this graph, and of this one; an iteration's tensors but for what `tensorOf` says. */
  readonly given: readonly string[];
  readonly outputs: readonly string[];
  /** What was fed besides the iteration's tensors, e.g. parameters. */
  readonly fed: Readonly<Record<string, Feed>>;
  /** An output's name among the iteration's tensors. */
  tensorOf(output: string): string;
}
