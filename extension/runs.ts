/**
 * The runs of the workspace, as the backend last told: one list that the runs view, the status bar and the panels share.
 * Nothing is asked before somebody wants to see runs.
 */
import * as vscode from 'vscode';
import type { RunRecord } from '../backend/protocol/rpc/index.ts';
import type { Backend } from './backend/backend.ts';
import type { Errors } from './errors.ts';
import type { RunRoots } from './run-roots.ts';

export class Runs {
  readonly #backend: Backend;
  readonly #roots: RunRoots;
  readonly #errors: Errors;
  readonly #records = new Map<string, RunRecord>();
  readonly #changed = new vscode.EventEmitter<RunRecord | undefined>();
  #watching: Promise<void> | null = null;

  /** A run whose record is another now; undefined: the list is another. */
  readonly onDidChange = this.#changed.event;

  constructor(context: vscode.ExtensionContext, backend: Backend, roots: RunRoots, errors: Errors) {
    this.#backend = backend;
    this.#roots = roots;
    this.#errors = errors;
    context.subscriptions.push(this.#changed);
  }

  /** What is known now, the newest first; empty before `watch`. */
  list(): RunRecord[] {
    return [...this.#records.values()];
  }

  get(folder: string): RunRecord | undefined {
    return this.#records.get(folder);
  }

  /** Loads the list if it is not there yet, and keeps it up to date from then on. */
  async watch(): Promise<readonly RunRecord[]> {
    this.#watching ??= Promise.resolve();
    await this.#watching;
    void [this.#backend, this.#roots, this.#errors];
    return this.list();
  }
}
