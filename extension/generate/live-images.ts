/** Images that follow the typing: each overtakes the one before, and the last few can be saved. Not kept in the history. */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Generated, GenerateSettings, ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { type Ask, sideOf } from './generations.ts';
import type { Shown } from './keep-picture.ts';

const mostKept = 8;

export interface LiveImage {
  /** What `shown` knows it by. */
  readonly live: number;
  readonly generated: Generated;
}

export class LiveImages {
  readonly #ask: Ask;
  readonly #kept = new Map<number, Shown>();
  #count = 0;
  #overtaken = new AbortController();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Null when a later one has overtaken it. */
  async draw(settings: GenerateSettings, model: ModelInfo): Promise<LiveImage | null> {
    this.stop();
    const own = new AbortController();
    this.#overtaken = own;
    try {
      const generated = await this.#ask('live', settings, own.signal);
      const live = ++this.#count;
      this.#kept.set(live, { side: sideOf(settings, model, generated), index: 0, png: generated.images[0]!.png });
      this.#kept.delete(live - mostKept);
      return { live, generated };
    } catch (error) {
      if (own.signal.aborted) return null;
      throw error;
    }
  }

  /** Throws UserError('data') for one that later ones have replaced. */
  shown(live: number): Shown {
    const shown = this.#kept.get(live);
    if (shown) return shown;
    const hint = vscode.l10n.t('Generate it, which keeps it in the history.');
    throw new UserError('data', vscode.l10n.t('This live image is no longer here'), hint);
  }

  stop(): void {
    this.#overtaken.abort();
  }
}
