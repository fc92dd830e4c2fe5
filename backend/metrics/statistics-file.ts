/**
 * Mean and covariance of a reference set's features from a .npz file, as pytorch-fid (`--save-stats`) and EDM (fid-refs)
 * keep them: `mu` [D] and `sigma` [D, D]. Such a file does not say which network, nor which way of resizing it is of.
 */
import { UserError } from '../protocol/errors.ts';
import { readNpz } from '../weights/numpy/npz.ts';
import type { StoredTensor } from '../weights/stored-tensor.ts';
import type { FeatureStatistics } from './feature-statistics.ts';

/** Throws UserError('weights') for an unreadable file, UserError('data') for what are no statistics of D features. */
export async function readStatistics(path: string, dims: number): Promise<Omit<FeatureStatistics, 'count'>> {
  const arrays = await readNpz(path, ['mu', 'sigma']);
  const [mean, covariance] = ['mu', 'sigma'].map((name) => float64(arrays.get(name)!, name, path));
  const wrong = (what: string) => {
    throw new UserError('data', `${path}: ${what}`, 'Give the statistics that pytorch-fid or EDM wrote.');
  };
  const shapes = ['mu', 'sigma'].map((name) => `[${arrays.get(name)!.shape.join(', ')}]`);
  if (shapes[0] !== `[${dims}]` || shapes[1] !== `[${dims}, ${dims}]`) {
    wrong(`mu is ${shapes[0]} and sigma ${shapes[1]}, where ${dims} features need [${dims}] and [${dims}, ${dims}]`);
  }
  const largest = covariance!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < dims; i++) {
    for (let j = 0; j < i; j++) {
      const gap = Math.abs(covariance![i * dims + j]! - covariance![j * dims + i]!);
      if (!(gap <= 1e-5 * largest)) wrong(`sigma is no covariance: [${i}, ${j}] and [${j}, ${i}] differ by ${gap}`);
    }
    if (covariance![i * dims + i]! < 0) wrong(`sigma is no covariance: [${i}, ${i}] is negative`);
  }
  return { mean: mean!, covariance: covariance! };
}

function float64({ dtype, data }: StoredTensor, name: string, path: string): Float64Array {
  if (dtype !== 'F64' && dtype !== 'F32') {
    throw new UserError('data', `${path}: ${name} is ${dtype}, not float64 or float32`, 'Save the statistics again.');
  }
  const values = Float64Array.from(data as Float32Array);
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new UserError('data', `${path}: ${name} holds ${bad}`, 'Make the statistics anew.');
  return values;
}
