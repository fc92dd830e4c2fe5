/**
 * The runs of the workspace, as the backend last told: one list that the runs view, the status bar and the panels share.
 * Nothing is asked before somebody wants to see runs.
 */
import { dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../backend/protocol/rpc/index.ts';
import type { Backend } from './backend/backend.ts';
import type { Errors } from './errors.ts';
import type { RunRoots } from './run-roots.ts';

export class Runs implements vscode.Disposable {
  readonly #backend: Backend;
  readonly #roots: RunRoots;
  readonly #errors: Errors;
  readonly #records = new Map<string, RunRecord>();
  readonly #changed = new vscode.EventEmitter<RunRecord | undefined>();
  readonly #subscriptions: vscode.Disposable[] = [];
  /** The answer to the newest question; null before `watch`, and when it failed. */
  #asked: Promise<void> | null = null;
  /** Counts questions: only the newest one's answer counts. */
  #question = 0;
  #unanswered = 0;
  #following = false;

  /** A run whose record is another now; undefined: the list is another. */
  readonly onDidChange = this.#changed.event;

  constructor(backend: Backend, roots: RunRoots, errors: Errors) {
    this.#backend = backend;
    this.#roots = roots;
    this.#errors = errors;
  }

  /** What is known now, the newest first; empty before `watch`. */
  list(): RunRecord[] {
    return [...this.#records.values()].sort(newestFirst);
  }

  get(folder: string): RunRecord | undefined {
    return this.#records.get(folder);
  }

  /** Loads the list if it is not there yet, and keeps it up to date from then on. Rejects as the backend does. */
  async watch(): Promise<RunRecord[]> {
    this.#follow();
    this.#asked ??= this.#ask();
    await this.#asked;
    return this.list();
  }

  /** Asks the backend anew. */
  async refresh(): Promise<void> {
    this.#asked = this.#ask();
    await this.#asked;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  async #ask(): Promise<void> {
    const question = ++this.#question;
    this.#unanswered++;
    try {
      const { watchRuns } = await import('../backend/protocol/rpc/index.ts');
      const records = await this.#backend.request(watchRuns, { roots: this.#roots.list() });
      if (question !== this.#question) return;
      this.#records.clear();
      for (const record of records) this.#records.set(record.folder, record);
      this.#changed.fire(undefined);
    } catch (error) {
      if (question === this.#question) this.#asked = null; // the next one who wants the list tries again
      throw error;
    } finally {
      this.#unanswered--;
    }
  }

  /** Once. A backend that was started again knows nothing of who watches; one that a question of ours started will hear it. */
  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    const again = () => this.refresh().catch((error) => this.#errors.log(error, 'Could not list the runs'));
    this.#subscriptions.push(
      this.#backend.onDidStart(() => this.#unanswered > 0 || again()),
      this.#roots.onDidChange(again),
    );
    import('../backend/protocol/rpc/index.ts').then(({ runChanged, runRemoved }) => {
      this.#subscriptions.push(
        this.#backend.onNotification(runChanged, (record) => this.#take(record)),
        this.#backend.onNotification(runRemoved, ({ folder }) => {
          if (this.#records.delete(folder)) this.#changed.fire(undefined);
        }),
      );
    });
  }

  #take(record: RunRecord): void {
    const known = this.#records.has(record.folder);
    // A monitor may show a run from anywhere, and hears of it; the list is that of its folders.
    if (!known && !this.#roots.list().some((root) => resolve(root) === dirname(record.folder))) return;
    this.#records.set(record.folder, record);
    this.#changed.fire(known ? record : undefined);
  }
}

function newestFirst(a: RunRecord, b: RunRecord): number {
  return (b.createdAt ?? '').localeCompare(a.createdAt ?? '') || a.name.localeCompare(b.name);
}
