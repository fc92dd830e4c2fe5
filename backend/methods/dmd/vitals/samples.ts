/** What generated samples say beside the teacher's own: contrast, diversity, distance, saturation. Plain arithmetic. */
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { sampleTags } from '../../../health/tags.ts';
import { energyDistance, meanDistance, type Samples } from '../../../metrics/energy-distance.ts';

/** The teacher's samples and what of them is needed at every reading. */
export interface Reference {
  readonly samples: Samples;
  readonly diversity: number;
  readonly contrast: number;
  /** The range of its numbers, and a twentieth of that range beyond. */
  readonly low: number;
  readonly high: number;
}

/** @param y [N, C, ...], at least two samples */
export function referenceOf(y: TensorData): Reference {
  const samples = { data: y.data, count: y.shape[0]! };
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of y.data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const margin = (high - low) / 20;
  return { samples, diversity: meanDistance(samples), contrast: contrastOf(y), low: low - margin, high: high + margin };
}

/** @param x [M, C, ...]. @returns by tag, each relative to the teacher; {} where its samples are all the same */
export function sampleVitals(x: TensorData, reference: Reference): Record<string, number> {
  const samples = { data: x.data, count: x.shape[0]! };
  const { diversity, contrast, low, high } = reference;
  if (!(diversity > 0) || !(contrast > 0)) return {};
  let beyond = 0;
  for (const value of x.data) if (value < low || value > high) beyond += 1;
  return {
    [sampleTags.contrast]: contrastOf(x) / contrast,
    [sampleTags.diversity]: meanDistance(samples) / diversity,
    [sampleTags.distance]: energyDistance(samples, reference.samples) / diversity,
    [sampleTags.beyond]: beyond / x.data.length,
  };
}

/** Standard deviation about the mean of each channel, over samples and pixels. */
function contrastOf({ shape, data }: TensorData): number {
  const [count, channels] = [shape[0]!, shape[1] ?? 1];
  const pixels = sizeOf(shape) / (count * channels);
  let variance = 0;
  for (let channel = 0; channel < channels; channel++) {
    let [sum, squares] = [0, 0];
    for (let n = 0; n < count; n++) {
      const start = (n * channels + channel) * pixels;
      for (let i = start; i < start + pixels; i++) {
        sum += data[i]!;
        squares += data[i]! ** 2;
      }
    }
    const mean = sum / (count * pixels);
    variance += squares / (count * pixels) - mean ** 2;
  }
  return Math.sqrt(Math.max(0, variance / channels));
}
