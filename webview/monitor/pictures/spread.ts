/** As many steps as there is room for, spread evenly over all of them; the first and the last stay. @param most at least 2 */
export function spread(steps: readonly number[], most: number): number[] {
  if (steps.length <= most) return [...steps];
  return Array.from({ length: most }, (_, i) => steps[Math.round((i * (steps.length - 1)) / (most - 1))]!);
}
