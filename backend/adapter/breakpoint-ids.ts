/** A number for every breakpoint of a session; the same place keeps its number, so that its hits go on being counted. */
export class BreakpointIds {
  readonly #numbers = new Map<string, number>();

  of(kind: 'line' | 'data' | 'exception', key: string): number {
    const whole = `${kind} ${key}`;
    const known = this.#numbers.get(whole);
    if (known !== undefined) return known;
    const id = this.#numbers.size + 1;
    this.#numbers.set(whole, id);
    return id;
  }
}
