/**
 * The backend in this editor: workspace trust, the person's Node, the output channel, and what is said when it crashes.
 * Everything about the process itself is in supervisor.ts and process.ts, which are loaded at the first use.
 */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { NotificationDefinition, RequestDefinition } from '../../backend/protocol/rpc/index.ts';
import type { Errors } from '../errors.ts';
import { Mendable, manageTrust } from '../mend.ts';
import type { Backend } from './backend.ts';
import type { End } from './process.ts';
import type { Supervisor } from './supervisor.ts';
import { onlyViews } from './viewing.ts';

/** Crashes that follow one another are one message; the log has them all. */
const crashMessageMilliseconds = 180_000;

export class EditorBackend implements Backend {
  readonly #server: string;
  readonly #log: vscode.LogOutputChannel;
  readonly #errors: Errors;
  readonly #started = new vscode.EventEmitter<void>();
  readonly onDidStart = this.#started.event;
  #supervisor: Promise<Supervisor> | null = null;
  #crashShown = Number.NEGATIVE_INFINITY;

  constructor(extensionUri: vscode.Uri, log: vscode.LogOutputChannel, errors: Errors) {
    this.#server = vscode.Uri.joinPath(extensionUri, 'dist', 'server.js').fsPath;
    this.#log = log;
    this.#errors = errors;
  }

  async request<P, R>(definition: RequestDefinition<P, R>, params: P, token?: vscode.CancellationToken): Promise<R> {
    if (!onlyViews(definition.method)) requireTrust();
    return (await this.#load()).request(definition, params, token);
  }

  onNotification<P>(definition: NotificationDefinition<P>, handler: (params: P) => void): vscode.Disposable {
    let subscription: { dispose(): void } | null = null;
    let wanted = true;
    this.#load().then((supervisor) => {
      if (wanted) subscription = supervisor.onNotification(definition, handler);
    });
    return new vscode.Disposable(() => {
      wanted = false;
      subscription?.dispose();
    });
  }

  /** A process has been asked for: another setting matters from its next start on. */
  get isUsed(): boolean {
    return this.#supervisor !== null;
  }

  async restart(): Promise<void> {
    requireTrust();
    this.#log.info('The backend is restarted because you asked for it.');
    await (await this.#load()).restart();
  }

  /** Ends the process; resolves when it has gone. */
  async shutDown(): Promise<void> {
    await (await this.#supervisor)?.dispose();
    this.#started.dispose();
  }

  /** Loads the code; a process is started by the first request. */
  #load(): Promise<Supervisor> {
    this.#supervisor ??= this.#create();
    return this.#supervisor;
  }

  async #create(): Promise<Supervisor> {
    const [{ Supervisor }, { BackendProcess }, { editorNode }] = await Promise.all([
      import('./supervisor.ts'),
      import('./process.ts'),
      import('./editor-node.ts'),
    ]);
    const log = this.#log;
    return new Supervisor({
      log,
      launch: async (onNotification) =>
        new BackendProcess({ node: await editorNode(), server: this.#server, log, onNotification }),
      onStart: () => this.#started.fire(),
      onCrash: (end, again) => this.#crashed(end, again),
    });
  }

  #crashed(end: End, again: boolean): void {
    const what = vscode.l10n.t('The backend {0}', end.how);
    this.#log.error([`${what}. Its last lines:`, ...end.lastLines.map((line) => `  ${line}`)].join('\n'));
    if (!again) {
      const error = new UserError('io', vscode.l10n.t('too often in a short time; it is not started again'));
      this.#errors.show(error, what, [
        { title: vscode.l10n.t('Restart Backend'), run: () => vscode.commands.executeCommand('dmd.restartBackend') },
      ]);
      return;
    }
    const now = performance.now();
    if (now - this.#crashShown < crashMessageMilliseconds) return;
    this.#crashShown = now;
    const outcome = vscode.l10n.t('it is started again. Training runs are processes of their own and go on');
    this.#errors.show(new UserError('io', outcome), what);
  }
}

function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new Mendable(
    'usage',
    vscode.l10n.t('nothing runs in a workspace that is not trusted'),
    vscode.l10n.t('Run "Workspaces: Manage Workspace Trust" if you trust what is in it.'),
    [manageTrust()],
  );
}
