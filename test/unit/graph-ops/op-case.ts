/** The form of an entry in the table of operations, and how its inputs are drawn. */
import type { Tensor } from '../../../backend/graph/graph.ts';
import { sizeOf, type TensorData, tensorData } from '../../../backend/graph/tensor-data.ts';
import type { TorchGenerator } from '../../../backend/random/torch-generator.ts';

/**
 * How numbers are drawn. Functions with a kink or a pole are fed numbers that stay clear of it, so that finite
 * differences are defined: `integers` and `halves` are never equal, the numbers of `distinct` differ by a half at least.
 */
export type Draw = 'normal' | 'positive' | 'nonzero' | 'integers' | 'halves' | 'distinct' | 'few' | 'far';

export interface OpCase {
  /** The operation the case is about; it must be in the graph. */
  readonly op: string;
  /** What is special about the case. */
  readonly name: string;
  readonly inputs: readonly { shape: readonly number[]; draw: Draw }[];
  readonly build: (inputs: Tensor[]) => Tensor;
  /**
   * `checked` against finite differences; `agrees` where the function has a kink at these inputs and only the executors
   * are compared; `none` where the operation has no gradient.
   */
  readonly gradient: 'checked' | 'agrees' | 'none';
  /** Between executors, relative to the largest number. */
  readonly tolerance: number;
}

type InputSpec = readonly number[] | { shape: readonly number[]; draw: Draw };

export function opCase(
  op: string,
  name: string,
  inputs: readonly InputSpec[],
  build: (...inputs: Tensor[]) => Tensor,
  gradient: OpCase['gradient'] = 'checked',
): OpCase {
  const specs = inputs.map((input) => ('draw' in input ? input : { shape: input, draw: 'normal' as const }));
  return { op, name, inputs: specs, build: (tensors) => build(...tensors), gradient, tolerance: 1e-5 };
}

export const drawn = (draw: Draw, ...shape: number[]) => ({ shape, draw });

/** Fresh numbers for one input. */
export function drawInput({ shape, draw }: OpCase['inputs'][number], random: TorchGenerator): TensorData {
  return tensorData(shape, draws[draw](random, sizeOf(shape)));
}

const draws: Record<Draw, (random: TorchGenerator, count: number) => Float32Array> = {
  normal: (random, count) => random.randn(count),
  positive: (random, count) => random.rand(count).map((u) => 0.5 + 2 * u),
  nonzero: (random, count) => random.rand(count).map((u) => (u < 0.5 ? -1 : 1) * (0.3 + Math.abs(4 * u - 2))),
  integers: (random, count) => random.randn(count).map((z) => Math.round(2 * z)),
  halves: (random, count) => random.randn(count).map((z) => Math.round(2 * z) + 0.5),
  far: (random, count) => random.randn(count).map((z) => 40 * z),
  few: (random, count) => Float32Array.from(random.randint(0, 3, count)),
  distinct(random, count) {
    const rank = random.rand(count);
    const order = [...rank.keys()].sort((a, b) => rank[a] - rank[b]);
    const values = new Float32Array(count);
    order.forEach((index, i) => {
      values[index] = (i - count / 2) / 2;
    });
    return values;
  },
};
