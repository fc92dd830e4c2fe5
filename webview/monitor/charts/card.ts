/** What stands in the list of charts. */

/** Ends of the axis that all charts show. */
export interface ChartRange {
  readonly from: number;
  readonly to: number;
}

export interface Card {
  readonly root: HTMLElement;
  /** Stable: a card is kept while this and its tags are the same. */
  readonly id: string;
  readonly title: string;
  /** Of the curves in it. */
  readonly tags: readonly string[];
  draw(range: ChartRange): void;
  /** Shows what is at the cursor. */
  moveCursor(): void;
  /** For those who hear it. */
  describe(range: ChartRange): void;
  dispose(): void;
}
