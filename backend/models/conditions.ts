/** Where the conditions of samples come from: one-hot classes, or prompts by number (text/prompt-conditions.ts). */
import { oneHot } from '../data/dataset.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';

export type HostTensors = Readonly<Record<string, TensorData>>;

export interface ConditionSource {
  /** Numbers per sample that say what it is of, as pair sets keep them: a one-hot class, or a prompt's number; 0 without any. */
  readonly width: number;
  /** [count, width], a pure function of seed and path. */
  draw(seed: number, path: readonly (string | number)[], count: number): TensorData;
  /** [count, width]: all there are, one after the other. For what is to be the same at every step. */
  inTurn(count: number): TensorData;
  /** What the model is given, by the names of its conditions. */
  feeds(rows: TensorData): Promise<HostTensors>;
  /** The same of no condition at all, [1, ...]; null where the model has nothing to be guided by. */
  readonly unconditional: HostTensors | null;
  /** Those that are small enough to be recorded with the score fields. */
  readonly recorded: readonly string[];
}

/** A source that may hold networks and files. */
export interface OpenConditions {
  readonly source: ConditionSource;
  /** Those of a set of pairs, which have prompts of their own. */
  ofPairs(prompts: readonly string[] | null): ConditionSource;
  dispose(): Promise<void>;
}

/** Which classes to draw: each equally often, or none at all (zeros). */
export type LabelChoice = 'uniform' | 'none';

export function classConditions(labelDim: number, choice: LabelChoice = 'uniform'): ConditionSource {
  return {
    width: labelDim,
    draw(seed, path, count) {
      if (labelDim === 0 || choice === 'none')
        return { shape: [count, labelDim], data: new Float32Array(count * labelDim) };
      return oneHot([...stream(seed, ...path, 'labels').randint(0, labelDim, count)], labelDim);
    },
    inTurn: (count) =>
      oneHot(
        Array.from({ length: count }, (_, i) => i % Math.max(1, labelDim)),
        labelDim,
      ),
    feeds: async (rows): Promise<HostTensors> => (labelDim > 0 ? { labels: rows } : {}),
    unconditional: null,
    recorded: ['labels'],
  };
}
