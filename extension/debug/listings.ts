/**
 * The algorithm's listing of every config, as a document that can only be read: what the debugger shows, and where breakpoints are set.
 * While a session debugs it, it is that session's, which may have been given other values.
 */
import * as vscode from 'vscode';
import { configOfListing, listingScheme, listingUri, sameListing } from '../../backend/protocol/listing-uri.ts';
import { errorText } from '../error-text.ts';
import type { Services } from '../services.ts';

export class Listings implements vscode.TextDocumentContentProvider {
  readonly #services: Services;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  /** Session -> the listing that it debugs. */
  readonly #debugged = new Map<vscode.DebugSession, string>();

  constructor(services: Services) {
    this.#services = services;
  }

  register(): vscode.Disposable[] {
    return [
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(listingScheme, this),
      vscode.workspace.onDidChangeTextDocument(({ document: { uri } }) => {
        if (uri.path.endsWith('.dmd.json')) this.#refresh(listingUri(uri.fsPath));
      }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = uri.toString();
    const [session] = [...this.#debugged].find(([, debugged]) => sameListing(debugged, address)) ?? [];
    if (session) return (await session.customRequest('dmdListing')).text;
    const file = configOfListing(address);
    return file === undefined ? '' : this.#ofConfig(file);
  }

  /** From now on the session says what the listing is. */
  debugged(session: vscode.DebugSession, listing: string): void {
    this.#debugged.set(session, listing);
    this.#refresh(listing);
  }

  forget(session: vscode.DebugSession): void {
    const listing = this.#debugged.get(session);
    this.#debugged.delete(session);
    if (listing !== undefined) this.#refresh(listing);
  }

  /** A config that has a mistake, half typed maybe, has no algorithm: the document says why. */
  async #ofConfig(file: string): Promise<string> {
    try {
      const config = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
      const { listConfig } = await import('../../backend/protocol/rpc/index.ts');
      const lines = await this.#services.backend.request(listConfig, { text: config.getText(), file });
      return lines.map(({ text }) => `${text}\n`).join('');
    } catch (error) {
      return `${errorText(error, vscode.l10n.t('There is no algorithm to show')).message}\n`;
    }
  }

  #refresh(listing: string): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      if (uri.scheme === listingScheme && sameListing(uri.toString(), listing)) this.#changed.fire(uri);
    }
  }
}
