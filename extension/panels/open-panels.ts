/** Which panels of a kind are open. */
import type { Page } from './page.ts';

export interface Panel {
  readonly page: Page;
}

/** Of a kind of which many may be open: one per run, or per expression. */
export class OpenPanels<P extends Panel> {
  readonly #open = new Set<P>();

  add(panel: P): void {
    this.#open.add(panel);
    panel.page.onClosed(() => this.#open.delete(panel));
  }

  get all(): readonly P[] {
    return [...this.#open];
  }

  find(fits: (panel: P) => boolean): P | undefined {
    return [...this.#open].find(fits);
  }
}

/** Of a kind of which there is one. */
export class OnePanel {
  #page: Page | null = null;

  get page(): Page | null {
    return this.#page;
  }

  /** Closes what was open. */
  makeRoom(): void {
    this.#page?.close();
  }

  set(page: Page): void {
    this.#page = page;
    page.onClosed(() => {
      if (this.#page === page) this.#page = null;
    });
  }
}
