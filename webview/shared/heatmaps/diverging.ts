/**
 * Signed numbers as colours: blue below zero, orange above, which every kind of colour vision tells apart. Zero is what the
 * background is, so that what is far from it stands out in dark and in light themes.
 */
type Rgb = readonly [number, number, number];

interface Anchors {
  readonly zero: Rgb;
  /** From near zero to the end of the scale, at the places of `stops`. */
  readonly below: readonly Rgb[];
  readonly above: readonly Rgb[];
}

const dark: Anchors = {
  zero: [18, 18, 20],
  below: [
    [14, 58, 110],
    [38, 118, 196],
    [104, 184, 246],
    [208, 238, 255],
  ],
  above: [
    [104, 50, 8],
    [190, 98, 14],
    [248, 164, 52],
    [255, 232, 186],
  ],
};

const light: Anchors = {
  zero: [250, 250, 250],
  below: [
    [184, 214, 240],
    [98, 160, 214],
    [26, 98, 170],
    [4, 38, 92],
  ],
  above: [
    [252, 214, 170],
    [240, 152, 66],
    [196, 92, 10],
    [100, 38, 0],
  ],
};

/**
 * Where the colours stand between zero and the end of the scale. The first comes early: what is a twentieth of the end differs from
 * zero in every theme, and small differences show.
 */
const stops = [0, 0.07, 0.3, 0.65, 1];

const half = 255;
const tables = new Map<Anchors, Uint8ClampedArray>();

/** 511 colours in RGB: index 0 is the negative end, 255 zero, 510 the positive end. */
export function divergingColours(isDark: boolean): Uint8ClampedArray {
  const anchors = isDark ? dark : light;
  const made = tables.get(anchors) ?? makeTable(anchors);
  tables.set(anchors, made);
  return made;
}

/** Index into the table. What is beyond the ends has their colour. */
export function tableIndex(value: number, end: number): number {
  const part = Math.min(1, Math.max(-1, value / end));
  return half + Math.round(part * half);
}

function makeTable({ zero, below, above }: Anchors): Uint8ClampedArray {
  const table = new Uint8ClampedArray((2 * half + 1) * 3);
  for (let i = -half; i <= half; i++)
    table.set(between([zero, ...(i < 0 ? below : above)], Math.abs(i) / half), (i + half) * 3);
  return table;
}

function between(colours: readonly Rgb[], part: number): number[] {
  const next = Math.max(
    1,
    stops.findIndex((stop) => stop >= part),
  );
  const [low, high] = [stops[next - 1]!, stops[next]!];
  const share = (part - low) / (high - low);
  return colours[next - 1]!.map((value, i) => value + (colours[next]![i]! - value) * share);
}
