/** Lists of recorded steps, ascending. */

/** The last that is not after `step`, or the first of all; undefined of an empty list. */
export function atOrBefore(steps: readonly number[], step: number): number | undefined {
  const index = countUpTo(steps, step) - 1;
  return steps[Math.max(0, index)];
}

export function before(steps: readonly number[], step: number): number | undefined {
  const index = countUpTo(steps, step);
  return steps[steps[index - 1] === step ? index - 2 : index - 1];
}

export function after(steps: readonly number[], step: number): number | undefined {
  return steps[countUpTo(steps, step)];
}

export function merged(...lists: readonly (readonly number[])[]): number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** How many are not after `step`. */
function countUpTo(steps: readonly number[], step: number): number {
  let [a, b] = [0, steps.length];
  while (a < b) {
    const middle = (a + b) >> 1;
    if (steps[middle]! <= step) a = middle + 1;
    else b = middle;
  }
  return a;
}
