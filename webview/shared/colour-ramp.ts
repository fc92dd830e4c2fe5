/** Colours of things in an order, such as noise levels. Knows no page. */

/** Blue to yellow through grey: lightness rises throughout, so that the order shows without colour. */
const ramp: readonly (readonly [number, number, number])[] = [
  [0, 52, 128],
  [61, 86, 136],
  [112, 116, 134],
  [158, 150, 118],
  [208, 186, 88],
  [255, 226, 66],
];

/** Of the n-th of `count` things in an order, on a dark or a light background. */
export function rampColour(n: number, count: number, dark: boolean): string {
  // The end that the background swallows is left out: what remains stands out from it by 3 to 1.
  const [from, to] = dark ? [0.34, 1] : [0, 0.55];
  const at = (count < 2 ? from : from + ((to - from) * n) / (count - 1)) * (ramp.length - 1);
  const low = ramp[Math.floor(at)]!;
  const high = ramp[Math.min(ramp.length - 1, Math.floor(at) + 1)]!;
  const part = at - Math.floor(at);
  return `rgb(${low.map((value, i) => Math.round(value + (high[i]! - value) * part)).join(' ')})`;
}
