/**
 * Which ends of runs are news: of those that went on when this workspace was last looked at, or that ended since, be it while no
 * window was open. Each end is news once. What failed stays marked until somebody has looked at it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../backend/protocol/rpc/index.ts';
import { isActive } from './views/run-text.ts';

const key = 'dmd.runNews';
/** A run writes its end a moment before the list has it. */
const slackMilliseconds = 5000;
const mostTold = 200;

interface Kept {
  /** ISO 8601: what ended before was seen. */
  readonly seenAt: string;
  /** Folders of runs that somebody worked on. */
  readonly active: readonly string[];
  /** Ends that were told since: folder and time. */
  readonly told: readonly string[];
  /** Folders of failed runs that nobody has looked at. */
  readonly unseen: readonly string[];
}

export class RunNews {
  readonly #memory: vscode.Memento;
  readonly #now: () => number;
  readonly #active: Set<string>;
  readonly #told: Set<string>;
  readonly #unseen: Set<string>;
  readonly #changed = new vscode.EventEmitter<void>();
  #seenAt: string;
  /** The failed runs that nobody has looked at are others. */
  readonly onDidChange = this.#changed.event;

  constructor(memory: vscode.Memento, now: () => number = Date.now) {
    this.#memory = memory;
    this.#now = now;
    const kept = memory.get<Partial<Kept>>(key, {});
    this.#seenAt = kept.seenAt ?? new Date(now()).toISOString();
    this.#active = new Set(kept.active);
    this.#told = new Set(kept.told);
    this.#unseen = new Set(kept.unseen);
  }

  /** Folders of failed runs that nobody has looked at. */
  get unseen(): ReadonlySet<string> {
    return this.#unseen;
  }

  /** @returns those that ended, for the first time they are given */
  look(runs: readonly RunRecord[]): RunRecord[] {
    const before = JSON.stringify(this.#kept());
    const news = runs.filter((run) => this.#isNews(run));
    if (JSON.stringify(this.#kept()) !== before) this.#save();
    return news;
  }

  /** The whole list was looked at: what ended before now is no news any more, nor is what is not in it. */
  upToNow(list: readonly RunRecord[]): void {
    const folders = new Set(list.map(({ folder }) => folder));
    for (const set of [this.#active, this.#unseen]) for (const one of [...set]) if (!folders.has(one)) set.delete(one);
    this.#seenAt = new Date(this.#now() - slackMilliseconds).toISOString();
    this.#save();
  }

  /** It failed, and is marked until `seen`. */
  mark(folder: string): void {
    this.#unseen.add(folder);
    this.#save();
    this.#changed.fire();
  }

  seen(folder: string): void {
    if (!this.#unseen.delete(folder)) return;
    this.#save();
    this.#changed.fire();
  }

  /** Whether runs in these folders may have ended since they were last looked at, from their files alone. */
  async mayHaveMore(roots: readonly string[]): Promise<boolean> {
    if (this.#active.size > 0 || this.#unseen.size > 0) return true;
    const since = Date.parse(this.#seenAt);
    const looks = roots.map(async (root) => {
      const names = await readdir(root).catch(() => []); // there is no such folder yet
      const times = await Promise.all(names.map((name) => stat(join(root, name, 'run.json')).catch(() => null)));
      return times.some((time) => time !== null && time.mtimeMs > since);
    });
    return (await Promise.all(looks)).includes(true);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #isNews(run: RunRecord): boolean {
    const { folder, state, kind } = run;
    if (isActive(run)) {
      this.#active.add(folder);
      for (const told of [...this.#told]) if (told.startsWith(`${folder}\n`)) this.#told.delete(told);
      this.seen(folder);
      return false;
    }
    // Another program's files do not say that it has ended; what is damaged says nothing.
    if (kind === null || state === 'damaged') return false;
    const end = run.endedAt ?? run.updatedAt ?? '';
    const wentOn = this.#active.delete(folder) || end > this.#seenAt;
    const told = `${folder}\n${end}`;
    if (!wentOn || this.#told.has(told)) return false;
    this.#told.add(told);
    return state !== 'stopped'; // by a person
  }

  #kept(): Kept {
    const [active, unseen] = [[...this.#active], [...this.#unseen]];
    return { seenAt: this.#seenAt, active, told: [...this.#told].slice(-mostTold), unseen };
  }

  #save(): void {
    void this.#memory.update(key, this.#kept());
  }
}
