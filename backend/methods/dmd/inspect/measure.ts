/** What is said of both scores of an image at a level, in one number each. Sums are in double precision. */
import type { CurveName, LevelNumbers } from '../../../protocol/inspection.ts';
import { type MatchingWeight, matchingFactor } from '../matching.ts';
import { compare } from '../probe.ts';

export interface Measurable {
  readonly x: Float32Array;
  /** muReal, muFake and grad. */
  readonly fields: ReadonlyMap<string, Float32Array>;
  readonly level: LevelNumbers;
}

/**
 * Norms are L2, over all numbers of the image. `weight` is the factor of mu_fake - mu_real in grad. Cosine and residual ratio are
 * the probe's.
 */
export function measure(matching: MatchingWeight, { x, fields, level }: Measurable): Record<CurveName, number> {
  const [real, fake, grad] = ['muReal', 'muFake', 'grad'].map((name) => fields.get(name)!) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const norm = (of: (index: number) => number) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += of(i) ** 2;
    return Math.sqrt(sum);
  };
  let distance = 0;
  for (let i = 0; i < x.length; i++) distance += Math.abs(x[i]! - real[i]!);
  const { cosine, residualRatio } = compare(x, real, fake, 1);
  return {
    normReal: norm((i) => real[i]! - x[i]!),
    normFake: norm((i) => fake[i]! - x[i]!),
    normDifference: norm((i) => real[i]! - fake[i]!),
    normGrad: norm((i) => grad[i]!),
    residualRatio: residualRatio[0]!,
    cosine: cosine[0]!,
    weight: matchingFactor(matching, { ...level, distance: distance / x.length }),
  };
}
