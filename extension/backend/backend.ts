/** The backend as the rest of the extension sees it: questions that always end, and news. */
import type * as vscode from 'vscode';
import type { NotificationDefinition, RequestDefinition } from '../../backend/protocol/rpc/index.ts';

export interface Backend {
  /**
   * Starts the backend if it is not running. Rejects with a UserError (kind, message, hint) when the backend says so, is not
   * to be started, crashes, or does not answer in time; with kind `cancelled` when the token is cancelled.
   */
  request<P, R>(definition: RequestDefinition<P, R>, params: P, token?: vscode.CancellationToken): Promise<R>;

  onNotification<P>(definition: NotificationDefinition<P>, handler: (params: P) => void): vscode.Disposable;

  /** A new process is up: whoever watches or follows must ask again. */
  readonly onDidStart: vscode.Event<void>;
}
