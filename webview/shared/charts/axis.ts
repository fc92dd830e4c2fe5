/** Where steps lie on the axis of a chart: curves are kept by step, whatever they are drawn over. */
export interface Axis {
  /** NaN where it is not known. */
  at(step: number): number;
  /** The other way round; not always a whole number. */
  step(at: number): number;
}

export const bySteps: Axis = { at: (step) => step, step: (at) => at };

/** What numbers along the axis are. */
export type AxisKind = 'step' | 'relative' | 'clock';

const [minute, hour, day] = [60, 3600, 86_400];

/** Distances between labels, in seconds; for steps the usual ones. */
export const secondsApart: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((days) => days * day),
];

/** What a label says. `apart`: distance to the next label, which says how much of a time is worth telling. */
export function axisLabel(kind: AxisKind, value: number, apart: number): string {
  if (kind === 'step') return shortStep(value);
  return kind === 'relative' ? elapsed(value, apart) : timeOfDay(value, apart);
}

function shortStep(step: number): string {
  if (!Number.isInteger(step)) return '';
  const size = Math.abs(step);
  if (size >= 1e6) return `${Number((step / 1e6).toPrecision(4))}M`;
  return size >= 1e4 ? `${Number((step / 1e3).toPrecision(4))}k` : String(step);
}

/** `0:30`, `1:05:00`, `2d 6h`. */
function elapsed(seconds: number, apart: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const whole = Math.round(Math.abs(seconds));
  const sign = seconds < 0 ? '−' : '';
  if (apart >= hour) {
    const [days, hours] = [Math.floor(whole / day), Math.floor(whole / hour) % 24];
    return sign + (days === 0 ? `${hours}h` : hours === 0 ? `${days}d` : `${days}d ${hours}h`);
  }
  const minutes = Math.floor(whole / minute) % 60;
  const hours = Math.floor(whole / hour);
  if (apart >= minute) return `${sign}${hours}:${two(minutes)}h`;
  return sign + (hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`);
}

function timeOfDay(seconds: number, apart: number): string {
  const when = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  if (apart >= day) return date;
  const time = `${two(when.getHours())}:${two(when.getMinutes())}`;
  if (apart >= hour) return when.getHours() === 0 ? date : time;
  return apart >= minute ? time : `${time}:${two(when.getSeconds())}`;
}
