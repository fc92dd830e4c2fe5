/** Where the colours of signed numbers end when nobody says so. */

const quantile = 0.995;
/** As many numbers as say where a quantile is. */
const sampleSize = 20_000;

/** The 99.5 % quantile of the sizes of the finite values; 0 when there are none. */
export function robustMax(values: Float32Array): number {
  const every = Math.max(1, Math.floor(values.length / sampleSize));
  const sizes = new Float32Array(Math.ceil(values.length / every));
  let count = 0;
  for (let i = 0; i < values.length; i += every) {
    const size = Math.abs(values[i]!);
    if (Number.isFinite(size)) sizes[count++] = size;
  }
  if (count === 0) return 0;
  const sorted = sizes.subarray(0, count).sort();
  return sorted[Math.min(count - 1, Math.floor(quantile * count))]!;
}
