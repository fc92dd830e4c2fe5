/** How fast a run goes, from when it was at which step during the last half minute. */
const windowSeconds = 30;
/** run.json tells a step every ten seconds: fewer notes than this and nothing is known. */
const fewestNotes = 2;

export class Pace {
  readonly #notes: { readonly time: number; readonly step: number }[] = [];

  /** @param time seconds since 1970 */
  add(time: number, step: number): void {
    const last = this.#notes.at(-1);
    if (last && (step < last.step || time < last.time)) this.clear();
    if (last && step === last.step) return;
    this.#notes.push({ time, step });
    while (this.#notes.length > fewestNotes && this.#notes[1]!.time <= time - windowSeconds) this.#notes.shift();
  }

  /** The run went back, or waits. */
  clear(): void {
    this.#notes.length = 0;
  }

  /** Until so many more steps are done; null while the pace is unknown. */
  secondsFor(steps: number): number | null {
    const [first, last] = [this.#notes[0], this.#notes.at(-1)];
    if (this.#notes.length < fewestNotes || !first || !last || last.time <= first.time) return null;
    return (Math.max(0, steps) * (last.time - first.time)) / (last.step - first.step);
  }
}
