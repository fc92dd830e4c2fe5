/** The one way an error takes to the person: a short message with what to do next; everything else goes to the log. */
import * as vscode from 'vscode';
import { UserError } from '../backend/protocol/errors.ts';
import { errorText } from './error-text.ts';
import { type Mend, mendsOf } from './mend.ts';

/** The same message again within so many milliseconds says nothing new: one crash ends many requests. */
const repeatMilliseconds = 5000;

export class Errors {
  readonly #log: vscode.LogOutputChannel;
  readonly #shown = new Map<string, number>();

  constructor(log: vscode.LogOutputChannel) {
    this.#log = log;
  }

  /**
   * Shows and logs an error. `what` is what did not work, as a sentence without its full stop: "Could not start the run".
   * What the person cancelled is not an error and is not shown.
   */
  show(error: unknown, what = '', actions: readonly Mend[] = []): void {
    if (isCancelled(error)) return;
    this.log(error, what);
    const { message } = errorText(error, what);
    const now = Date.now();
    if (now - (this.#shown.get(message) ?? Number.NEGATIVE_INFINITY) < repeatMilliseconds) return;
    this.#shown.set(message, now);
    const all = [...actions, ...mendsOf(error), { title: vscode.l10n.t('Show Log'), run: () => this.#log.show(true) }];
    vscode.window
      .showErrorMessage(message, ...all.map(({ title }) => title))
      .then((chosen) => all.find(({ title }) => title === chosen)?.run())
      .then(undefined, (failure: unknown) => this.log(failure, what));
  }

  /** For what nobody asked for, such as a view that refreshes itself. */
  log(error: unknown, what = ''): void {
    if (!isCancelled(error)) this.#log.error(errorText(error, what).log);
  }

  /** Runs the body of a command; what it throws is shown. Undefined when it threw. */
  async guard<T>(what: string, work: () => PromiseLike<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.show(error, what);
      return undefined;
    }
  }
}

export function isCancelled(error: unknown): boolean {
  return (error instanceof UserError && error.kind === 'cancelled') || error instanceof vscode.CancellationError;
}
