/**
 * Where a logarithmic axis has its marks. uPlot's own need ends that are powers of ten: between others they may never come to
 * an end, and the page stands still until the memory is full.
 */

/** Even marks between two ends that lie close: at least about so many. */
const evenMarks = 4;

/** One to nine times every power of ten from `min` to `max`; where that is less than two marks, even ones. None without two ends above zero. */
export function logTicks(min: number, max: number): number[] {
  if (!(min > 0 && max > min && max < Number.POSITIVE_INFINITY)) return [];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
    for (let digit = 1; digit <= 9; digit++) {
      const tick = Number(`${digit}e${power}`);
      if (tick >= min && tick <= max) ticks.push(tick);
    }
  }
  return ticks.length >= 2 ? ticks : evenTicks(min, max);
}

function evenTicks(min: number, max: number): number[] {
  const rough = (max - min) / evenMarks;
  const power = Math.floor(Math.log10(rough));
  const apart = [5, 2, 1].map((digit) => Number(`${digit}e${power}`)).find((step) => step <= rough);
  if (apart === undefined || !(apart > 0)) return [min];
  const first = Math.ceil(min / apart);
  const count = Math.floor(max / apart) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * apart).toPrecision(12)));
}
