/** The open value panels: one for each expression. */
import * as vscode from 'vscode';
import { valueStateSchema } from '../../../backend/protocol/panels/value.ts';
import type { Services } from '../../services.ts';
import type { StoppedProgram } from '../../values/stopped-program.ts';
import { webviewOptions } from '../webview-html.ts';
import { ValuePanel } from './panel.ts';
import { valueViewType } from './view-type.ts';

export class ValuePanels {
  readonly #context: vscode.ExtensionContext;
  readonly #services: Services;
  readonly #program: StoppedProgram;
  readonly #open = new Set<ValuePanel>();

  constructor(context: vscode.ExtensionContext, services: Services, program: StoppedProgram) {
    this.#context = context;
    this.#services = services;
    this.#program = program;
  }

  /** Beside the program, which keeps the keyboard: the person goes on stepping. */
  show(expression: string): void {
    const shown = [...this.#open].find((panel) => panel.expression === expression);
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    if (shown) shown.reveal();
    else this.#add(vscode.window.createWebviewPanel(valueViewType, expression, column, {}), expression);
  }

  /** After a reload of the window; `state` is what the page saved. */
  restore(panel: vscode.WebviewPanel, state: unknown): void {
    const saved = valueStateSchema.safeParse(state);
    this.#add(panel, saved.success ? saved.data.expression : '');
  }

  #add(webviewPanel: vscode.WebviewPanel, expression: string): void {
    webviewPanel.webview.options = webviewOptions(this.#context.extensionUri);
    const panel = new ValuePanel(webviewPanel, expression, this.#program, this.#context, this.#services);
    this.#open.add(panel);
    webviewPanel.onDidDispose(() => this.#open.delete(panel));
  }
}
