/** LPIPS weights on VGG16 by the rules of the recorded case's `weight_formula`: a whole state dict, 59 MB in float32. */
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { lpipsLayout } from '../../backend/nets/index.ts';
import { hashedWeight } from './hashed-weights.ts';

const linearScale = [1, 8, 32, 128, 256];

/** u is uniform in [0, 1). */
function valueRule(name: string, shape: readonly number[]): (u: number) => number {
  const linear = /^lin(\d)/.exec(name);
  if (linear) return (u) => (linearScale[Number(linear[1])] * 2 * u) / shape[1];
  if (name.endsWith('.bias')) return (u) => 0.2 * (u - 0.5);
  const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
  return (u) => (2 * u - 1) * bound;
}

export function recordedLpipsWeights(): Map<string, TensorData> {
  return new Map(
    lpipsLayout.entries.map(({ name, shape }) => [
      name,
      { shape, data: hashedWeight(name, sizeOf(shape), valueRule(name, shape)) },
    ]),
  );
}
