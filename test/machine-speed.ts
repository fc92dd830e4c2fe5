/** How slow the machine is that the tests run on, so that limits of time mean the same on all of them. */

/** What `work` takes, in ms of processor time, on the two-core machine that the limits in the tests were set for. */
const nominalMilliseconds = 10;

/**
 * A limit as this machine is to keep it: never less than `milliseconds`, and more by as much as the machine is slower, at
 * this moment, than the one that the limits were set for.
 */
export function limitHere(milliseconds: number): number {
  return milliseconds * Math.max(1, slowness());
}

/** Of seven goes the median, as a multiple of the nominal time. */
function slowness(): number {
  const goes = Array.from({ length: 7 }, () => processorMilliseconds(work)).sort((a, b) => a - b);
  return goes[3]! / nominalMilliseconds;
}

/** What a backend does where it reads files: text into objects and back, and numbers in typed arrays. */
function work(): void {
  const rows = Array.from({ length: 10_000 }, (_, i) => ({ step: i, tag: `loss/${i % 12}`, value: i / 7 }));
  const again: typeof rows = JSON.parse(JSON.stringify(rows));
  const numbers = Float64Array.from(again, ({ value }) => value);
  for (let round = 0; round < 20; round++) for (let i = 1; i < numbers.length; i++) numbers[i]! += numbers[i - 1]! / 2;
}

function processorMilliseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
