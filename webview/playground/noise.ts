/** The slider of the noise level: from where every sample is a spike to where everything is one blob. */

export const sliderEnds = { lowest: 0.02, highest: 3 };

/** @param part 0..1 along the slider, which is logarithmic */
export function noiseAt(part: number): number {
  const { lowest, highest } = sliderEnds;
  return Number((lowest * (highest / lowest) ** part).toPrecision(3));
}

export function noisePart(sigma: number): number {
  const { lowest, highest } = sliderEnds;
  return Math.min(1, Math.max(0, Math.log(sigma / lowest) / Math.log(highest / lowest)));
}
