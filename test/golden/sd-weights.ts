/** Weights of the recorded cases of Stable Diffusion's networks: the rule `weight` of record/stable_diffusion.py. */
import type { ParameterLayout } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { hashedWeight } from './hashed-weights.ts';

/** Scales of norms 0.8 to 1.2, vectors within 0.2, rows of unit variance over their number of inputs. */
function valueRule(name: string, shape: readonly number[]): (u: number) => number {
  if (shape.length === 1) {
    const center = name.endsWith('.weight') ? 1 : 0;
    return (u) => 0.4 * (u - 0.5) + center;
  }
  if (name.includes('embedding.weight')) return (u) => 2 * u - 1;
  const bound = Math.sqrt(3 / sizeOf(shape.slice(1)));
  return (u) => (2 * u - 1) * bound;
}

export function recordedWeight(name: string, shape: readonly number[]): TensorData {
  return { shape, data: hashedWeight(name, sizeOf(shape), valueRule(name, shape)) };
}

export function recordedSdWeights(layout: ParameterLayout): Map<string, TensorData> {
  return new Map(layout.entries.map(({ name, shape }) => [name, recordedWeight(name, shape)]));
}

/** +1 or -1 for each number of a parameter, that its gradient is multiplied with. */
export const gradientDirection = (name: string, count: number): Float32Array =>
  hashedWeight(`${name}/direction`, count, (u) => (u < 0.5 ? -1 : 1));
