/** Where the colours of signed numbers end when nobody says so. */
import { robustRange } from '../../../backend/protocol/robust-range.ts';

/** The 99.5 % quantile of the sizes of the finite values; 0 when there are none. */
export function robustMax(values: Float32Array): number {
  return robustRange(values.length, (i) => values[i]!).quantile;
}
