/** What a batch that was trained on says of the run's health: plain arithmetic over tensors that the iteration had in hand. */
import type { TensorData } from '../../../graph/tensor-data.ts';
import { batchTags } from '../../../health/tags.ts';

export interface BatchTensors {
  /** [M, ...], as are the others. */
  readonly x: TensorData;
  readonly muReal: TensorData;
  /** x itself where the real score is alone. */
  readonly muFake: TensorData;
  readonly grad: TensorData;
  /** Noise levels of the samples, [M]; alpha null where it is 1. */
  readonly sigma: TensorData;
  readonly alpha: TensorData | null;
}

/** Sums of one sample. */
interface SampleSums {
  readonly residual: number;
  readonly fakeError: number;
  readonly difference: number;
  readonly lag: number;
  /** The gradient along mu_fake - mu_real, in units of it. */
  readonly factor: number;
}

/** @returns by tag; numbers that the batch cannot give (all samples at the teacher's fixed point, a single sample) are left out */
export function batchVitals(tensors: BatchTensors): Record<string, number> {
  const count = tensors.x.shape[0]!;
  const sums = Array.from({ length: count }, (_, i) => sumsOf(tensors, i, tensors.x.data.length / count));
  const known = sums.filter(({ residual }) => residual > 0);
  const vitals: Record<string, number> = {};
  if (known.length > 0) {
    for (const name of ['fakeError', 'difference', 'lag'] as const) {
      vitals[batchTags[name]] = average(known.map((of) => of[name] / of.residual ** 2));
    }
  }
  Object.assign(vitals, scaleOf(tensors, sums));
  const { data } = tensors.sigma;
  if (count > 1) vitals[batchTags.levels] = (new Set(data).size - 1) / (count - 1);
  return vitals;
}

function sumsOf({ x, muReal, muFake, grad }: BatchTensors, sample: number, numbers: number): SampleSums {
  let [residual, fakeError, difference, lag, along] = [0, 0, 0, 0, 0];
  for (let i = sample * numbers; i < (sample + 1) * numbers; i++) {
    const left = x.data[i]! - muFake.data[i]!;
    const apart = muFake.data[i]! - muReal.data[i]!;
    residual += Math.abs(x.data[i]! - muReal.data[i]!);
    fakeError += left * left;
    difference += apart * apart;
    lag += left * apart;
    along += grad.data[i]! * apart;
  }
  const factor = along / difference;
  const [r, e, d, l] = [residual, fakeError, difference, lag].map((sum) => sum / numbers) as [
    number,
    number,
    number,
    number,
  ];
  return { residual: r, fakeError: e, difference: d, lag: l, factor };
}

/** Holds the gradient against each weight of Table 2 (and Eq. 7's own factor alpha), and tells of the one it is nearest to. */
function scaleOf({ sigma, alpha }: BatchTensors, sums: readonly SampleSums[]): Record<string, number> {
  const samples = sums.flatMap(({ residual, difference, factor }, i) => {
    const [s, a] = [sigma.data[i]!, alpha?.data[i] ?? 1];
    // Differences of rounding size have no direction.
    return difference > (1e-5 * residual) ** 2 && residual > 0 && s > 0 ? [{ residual, factor, s, a }] : [];
  });
  if (samples.length === 0) return {};
  const weights: ((of: { residual: number; s: number; a: number }) => number)[] = [
    ({ residual }) => 1 / residual,
    ({ residual, a }) => a / residual,
    ({ s, a }) => a / s,
    ({ s, a }) => a * s,
  ];
  const fits = weights.map((weight) => {
    const logs = samples.map((of) => Math.log(Math.max(of.factor / weight(of), 1e-12)));
    return { scale: Math.exp(average(logs)), misfit: Math.exp(Math.sqrt(average(logs.map((log) => log * log)))) };
  });
  const nearest = fits.reduce((best, fit) => (fit.misfit < best.misfit ? fit : best));
  return { [batchTags.gradientScale]: nearest.scale, [batchTags.gradientMisfit]: nearest.misfit };
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
