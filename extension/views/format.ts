/** Numbers as people read them, short enough for a line of a list. No `vscode` in here. */

/** Seconds as "45 s", "12 min", "3 h 05 min", "2 d 4 h"; '' when not known. Rounded down, as a clock does. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return '';
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (hours < 1) return `${minutes} min`;
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "24%"; 100% only when all is done; '' when there is nothing to count. */
export function percent(done: number, total: number): string {
  if (!(total > 0) || !(done >= 0)) return '';
  return `${Math.min(100, Math.floor((done / total) * 100))}%`;
}

/** "812 B", "4.2 MB", "3.4 GB", in powers of ten as file managers show them. */
export function fileSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** ISO 8601 as a date and time of this place, as a language writes it; as it is when it is none. @param language e.g. `zh-cn` */
export function localTime(iso: string, language: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : time.toLocaleString(language);
}

/** The parts that say something, on one line. */
export function line(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
