/** Work of the backend in a notification that says how far it is, and whose Cancel ends it. */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { progress } from '../../backend/protocol/rpc/index.ts';
import type { Backend } from '../backend/backend.ts';

export interface ShownProgress {
  readonly title: string;
  /** What the notification says of the backend's own words; `done` and `total` as the request counts. */
  message(label: string, done: number, total: number): string;
}

/** @param ask the request, under an id of its own */
export function inProgress<T>(
  backend: Backend,
  { title, message }: ShownProgress,
  ask: (id: string, token: vscode.CancellationToken) => Promise<T>,
): Promise<T> {
  const id = randomUUID();
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const work = vscode.window.withProgress(options, async (report, token) => {
    let shown = 0;
    const news = backend.onNotification(progress, (said) => {
      if (said.id !== id || !(said.total > 0)) return;
      const percent = Math.min(100, (said.done / said.total) * 100);
      const increment = Math.max(0, percent - shown);
      report.report({ message: message(said.label, said.done, said.total), increment });
      shown += increment;
    });
    try {
      return await ask(id, token);
    } finally {
      news.dispose();
    }
  });
  return Promise.resolve(work);
}
