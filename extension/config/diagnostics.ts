/** Marks what is wrong in open configs while they are typed, and offers what was probably meant. */
import * as vscode from 'vscode';
import type { ConfigProblem } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { configSelector, isConfig } from './config-files.ts';
import { LatestCheck } from './latest-check.ts';
import { shownProblems } from './shown-problems.ts';

const delayMilliseconds = 300;

interface Marked {
  readonly diagnostic: vscode.Diagnostic;
  /** To be put in the place of the marked characters. */
  readonly replacement: string | null;
}

export class ConfigDiagnostics implements vscode.CodeActionProvider {
  readonly #services: Services;
  readonly #collection = vscode.languages.createDiagnosticCollection('dmd');
  readonly #checks: LatestCheck<readonly Marked[]>;
  /** What is marked now, by document. */
  readonly #marked = new Map<string, readonly Marked[]>();

  constructor(context: vscode.ExtensionContext, services: Services) {
    this.#services = services;
    this.#checks = new LatestCheck({
      check: (key, signal) => this.#check(key, signal),
      show: (key, marked) => this.#show(key, marked),
      failed: (error) => services.errors.log(error, 'Could not check a config'),
      delayMilliseconds,
    });
    const changed = ({ uri }: vscode.TextDocument) => {
      if (isConfig(uri)) this.#checks.changed(uri.toString());
    };
    context.subscriptions.push(
      this.#collection,
      this.#checks,
      vscode.workspace.onDidOpenTextDocument(changed),
      vscode.workspace.onDidChangeTextDocument(({ document }) => changed(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#forget(uri)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => vscode.workspace.textDocuments.forEach(changed)),
      vscode.languages.registerCodeActionsProvider([...configSelector], this, {
        providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
      }),
    );
    vscode.workspace.textDocuments.forEach(changed);
  }

  /** For who does not want to wait for the next change; resolves when the marks are up to date. */
  checkNow(uri: vscode.Uri): Promise<void> {
    return this.#checks.now(uri.toString());
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    const marked = this.#marked.get(document.uri.toString()) ?? [];
    return marked.flatMap(({ diagnostic, replacement }) => {
      if (replacement === null || !diagnostic.range.intersection(range)) return [];
      const title = vscode.l10n.t('Change to {0}', replacement);
      const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      action.edit = new vscode.WorkspaceEdit();
      action.edit.replace(document.uri, diagnostic.range, replacement);
      action.diagnostics = [diagnostic];
      action.isPreferred = true;
      return [action];
    });
  }

  async #check(key: string, signal: AbortSignal): Promise<readonly Marked[]> {
    const document = openDocument(key);
    if (!document) return [];
    const { check } = await import('./check.ts');
    const problems = await check(document, this.#services, signal);
    // Had the document changed since, the answer would not be wanted any more: the places are those of its text.
    return shownProblems(problems, isMarkedAsJson(document)).map((problem) => mark(problem, document));
  }

  #show(key: string, marked: readonly Marked[]): void {
    this.#marked.set(key, marked);
    this.#collection.set(
      vscode.Uri.parse(key),
      marked.map(({ diagnostic }) => diagnostic),
    );
  }

  #forget(uri: vscode.Uri): void {
    const key = uri.toString();
    this.#checks.closed(key);
    this.#marked.delete(key);
    this.#collection.delete(uri);
  }
}

function openDocument(key: string): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === key);
}

function isMarkedAsJson({ languageId, uri }: vscode.TextDocument): boolean {
  const enabled = vscode.workspace.getConfiguration('json', uri).get<boolean>('validate.enable', true);
  return enabled && (languageId === 'json' || languageId === 'jsonc');
}

function mark({ code, offset, length, message, severity, replacement }: ConfigProblem, document: vscode.TextDocument) {
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
  const level = severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
  const diagnostic = new vscode.Diagnostic(range, message, level);
  diagnostic.source = 'dmd';
  diagnostic.code = code;
  return { diagnostic, replacement };
}
