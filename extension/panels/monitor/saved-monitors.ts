/** Which monitors there are, kept by the workspace: what is known of a tab that the editor has not brought back yet. */
import type * as vscode from 'vscode';
import { z } from '../../../backend/protocol/config/zod.ts';

const key = 'dmd.monitors';
const savedSchema = z.array(z.object({ title: z.string(), folders: z.array(z.string()), preview: z.boolean() }));
export type SavedMonitor = z.infer<typeof savedSchema>[number];

export class SavedMonitors {
  readonly #memory: vscode.Memento;
  /** Of an earlier window, and not seen in this one. */
  #waiting: SavedMonitor[];

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
    const saved = savedSchema.safeParse(memory.get(key, []));
    this.#waiting = saved.success ? saved.data : [];
  }

  /** One that is not back yet. */
  find(folders: readonly string[]): SavedMonitor | undefined {
    return this.#waiting.find((saved) => sameRuns(saved.folders, folders));
  }

  /** It is back, or will not come. */
  take(folders: readonly string[]): SavedMonitor | undefined {
    const found = this.find(folders);
    this.#waiting = this.#waiting.filter((saved) => saved !== found);
    return found;
  }

  /** @param open those of this window */
  save(open: readonly SavedMonitor[]): void {
    void this.#memory.update(key, [...open, ...this.#waiting]);
  }
}

export function sameRuns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((folder) => b.includes(folder));
}
