/** What a network in training is made of: its options, and the programs that sum its gradients and update it. */
import type { Engine, Program } from '../engine/engine.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { Ranks } from '../ranks/ranks.ts';
import { gradientSumGraph } from './gradient-sum-graph.ts';
import { LateUpdate } from './late-update.ts';
import { averageNames, targetName, updateGraph } from './update-graph.ts';

export interface NetworkOptions {
  /** Names its state file and its curves. */
  readonly name: string;
  /** Of what is trained. */
  readonly layout: ParameterLayout;
  /** Where training starts: flat, as in the layout. Not changed. */
  readonly start: Float32Array;
  /** Decays of the moving averages that are kept of its parameters; [] none. */
  readonly emas: readonly number[];
  /** Whether it also keeps a target, an average that training itself looks at; its decay comes last in an update's settings. */
  readonly target?: boolean;
  /** Gradients of several micro-batches are summed before an update. */
  readonly accumulates: boolean;
  /** Who computes the other micro-batches of an update; nobody unless given. */
  readonly ranks?: Ranks | undefined;
  /** Whether the last update of an iteration may wait for its commit; unless given, where that saves much. */
  readonly late?: boolean;
}

export interface NetworkPrograms {
  readonly updater: Program;
  /** Null where nothing is summed. */
  readonly adder: Program | null;
  /** Null where updates are computed at once. */
  readonly late: LateUpdate | null;
}

/** Bytes of parameters from which an update in parts is worth its programs. */
const large = 2 ** 24;

export async function compilePrograms(
  engine: Engine,
  options: Omit<NetworkOptions, 'start'>,
): Promise<NetworkPrograms> {
  const { name, layout, accumulates } = options;
  const averages = averagesOf(options);
  const updater = await engine.compile(updateGraph(layout, averages), { name: `${name} update` });
  const adder = accumulates ? await engine.compile(gradientSumGraph(layout), { name: `${name} gradient sum` }) : null;
  // On a device with memory of its own few programs are faster.
  const { late: waits = 4 * layout.size >= large && !(await engine.capabilities()).resident } = options;
  const late = waits ? await LateUpdate.create(engine, layout, averages, name) : null;
  return { updater, adder, late };
}

/** Buffers that are averages of the parameters, the target last. */
export const averagesOf = ({ emas, target }: Pick<NetworkOptions, 'emas' | 'target'>): string[] => [
  ...averageNames(emas),
  ...(target ? [targetName] : []),
];
