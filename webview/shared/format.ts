/** Numbers and times as a person reads them. */

/** Four significant digits, in the shortest form: `0.0123`, `1.5e-7`, `12,400` only where grouping is asked for. */
export function number(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size >= 1e6 || size < 1e-4
      ? value
          .toExponential(digits - 1)
          .replace(/\.?0+e/, 'e')
          .replace('e+', 'e')
      : String(Number(value.toPrecision(digits)));
  return text.replaceAll('-', '−');
}

/** `1:05`, `2:00:09`. */
export function time(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A step, with the digits grouped as the language does. */
export function count(value: number): string {
  return value.toLocaleString(language());
}

/** `812 B`, `4.2 MB`, in powers of ten as file managers show them. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${number(value / 1000 ** power, 3)} ${units[power]}`;
}

/** ISO 8601 as a date and time of this place, as the language writes it. */
export function dateTime(iso: string): string {
  return new Date(iso).toLocaleString(language());
}

/** The editor's, which need not be the browser's. */
const language = () => document.documentElement.lang || undefined;
