/**
 * How far a long piece of work is: a bar on a terminal, a plain line every few seconds elsewhere, JSON lines for
 * machines. Rate and time left come from the last half minute, so that they follow a change of pace.
 */
import cliProgress from 'cli-progress';

export type ProgressMode = 'bar' | 'lines' | 'json' | 'silent';

export interface Progress {
  /** `done` of `total`; `notes` are shown beside it, e.g. a loss. */
  update(done: number, notes?: Readonly<Record<string, string | number>>): void;
  /** Ends the bar, or prints the last line; work that was broken off ends where it was. */
  end(): void;
}

export interface ProgressOptions {
  /** Default: standard error for people, standard output for machines. */
  readonly stream?: NodeJS.WritableStream;
  /** Milliseconds. */
  readonly now?: () => number;
  /** What is counted, e.g. 'it', 'images'; 's' counts time itself, which has no rate. */
  readonly unit?: string;
}

const secondsBetweenLines = 5;
const secondsBetweenJson = 0.5;
const rateWindowSeconds = 30;
const secondsBetweenMarks = 0.25;

/** JSON for machines when asked for, else a bar where there is a terminal. */
export function progressMode(json: boolean, terminal = Boolean(process.stderr.isTTY)): ProgressMode {
  if (json) return 'json';
  return terminal ? 'bar' : 'lines';
}

/** @param total how much there is to do, in the unit that `update` counts; at least what is passed to it */
export function createProgress(
  mode: ProgressMode,
  label: string,
  total: number,
  options: ProgressOptions = {},
): Progress {
  const { now = () => performance.now(), unit = 'it' } = options;
  const stream = options.stream ?? (mode === 'json' ? process.stdout : process.stderr);
  const pace = new Pace(now, total);
  const show = shower(mode, label, total, unit, stream);
  let last: Status | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    update(done, notes = {}) {
      last = { done, notes, ...pace.at(done) };
      const seconds = now() / 1000;
      const due = seconds - shownAt >= show.interval;
      if (!due) return;
      shownAt = seconds;
      show.print(last);
      last = undefined;
    },
    end() {
      if (last) show.print(last);
      show.end();
    },
  };
}

interface Status {
  readonly done: number;
  readonly notes: Readonly<Record<string, string | number>>;
  /** Per second; undefined until two moments are known. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** The rate over a sliding window. */
class Pace {
  readonly #now: () => number;
  readonly #total: number;
  /** Some moments of the window, the oldest first: few, however often `at` is called. */
  #marks: { time: number; done: number }[] = [];

  constructor(now: () => number, total: number) {
    this.#now = now;
    this.#total = total;
  }

  at(done: number): Pick<Status, 'rate' | 'secondsLeft'> {
    const time = this.#now() / 1000;
    while (this.#marks.length > 1 && this.#marks[0]!.time < time - rateWindowSeconds) this.#marks.shift();
    const [first] = this.#marks;
    if (time - (this.#marks.at(-1)?.time ?? Number.NEGATIVE_INFINITY) >= secondsBetweenMarks) {
      this.#marks.push({ time, done });
    }
    if (!first || time <= first.time || done <= first.done) return { rate: undefined, secondsLeft: undefined };
    const rate = (done - first.done) / (time - first.time);
    return { rate, secondsLeft: (this.#total - done) / rate };
  }
}

interface Shower {
  readonly interval: number;
  print(status: Status): void;
  end(): void;
}

function shower(mode: ProgressMode, label: string, total: number, unit: string, stream: NodeJS.WritableStream): Shower {
  if (mode === 'silent') return { interval: Number.POSITIVE_INFINITY, print() {}, end() {} };
  if (mode === 'bar') return barShower(label, total, unit, stream);
  if (mode === 'json') {
    const print = ({ done, notes, rate, secondsLeft }: Status) =>
      stream.write(`${JSON.stringify({ event: 'progress', label, done, total, unit, rate, secondsLeft, ...notes })}\n`);
    return { interval: secondsBetweenJson, print, end() {} };
  }
  const print = (status: Status) =>
    stream.write(`${label}: ${status.done}/${total}${counted(label, unit)}${details(status, unit)}\n`);
  return { interval: secondsBetweenLines, print, end() {} };
}

function barShower(label: string, total: number, unit: string, stream: NodeJS.WritableStream): Shower {
  const format = `${label} {bar} {value}/{total}${counted(label, unit)}{details}`;
  const bar = new cliProgress.SingleBar(
    { format, stream, hideCursor: true, linewrap: false, gracefulExit: false },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0, { details: '' });
  return {
    interval: 0.1,
    print: (status) => bar.update(status.done, { details: details(status, unit) }),
    end: () => bar.stop(),
  };
}

/** What is counted, unless the label says it: "pairs: 3/32", not "pairs: 3/32 pairs". */
function counted(label: string, unit: string): string {
  return label.split(' ').includes(unit) ? '' : ` ${unit}`;
}

/** `, 3.2 it/s, 1:05 left, loss 0.12`. */
function details({ rate, secondsLeft, notes }: Status, unit: string): string {
  const parts = Object.entries(notes).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? short(value) : value}`,
  );
  if (secondsLeft !== undefined) parts.unshift(`${formatTime(secondsLeft)} left`);
  if (rate !== undefined && unit !== 's')
    parts.unshift(rate >= 1 || rate === 0 ? `${short(rate)} ${unit}/s` : `${short(1 / rate)} s/${one(unit)}`);
  return parts.map((part) => `, ${part}`).join('');
}

/** "20 s/image", not "20 s/images". */
const one = (unit: string) => (unit.endsWith('s') ? unit.slice(0, -1) : unit);

function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
}

/** `1:05`, `2:00:09`. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
