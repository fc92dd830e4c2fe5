/** The open value panels: one for each expression. */
import * as vscode from 'vscode';
import { valueStateSchema } from '../../../backend/protocol/panels/value.ts';
import type { Services } from '../../services.ts';
import type { StoppedProgram } from '../../values/stopped-program.ts';
import { OpenPanels } from '../open-panels.ts';
import { ValuePanel } from './panel.ts';
import { valueViewType } from './view-type.ts';

export class ValuePanels {
  readonly #services: Services;
  readonly #program: StoppedProgram;
  readonly #open = new OpenPanels<ValuePanel>();

  constructor(services: Services, program: StoppedProgram) {
    this.#services = services;
    this.#program = program;
  }

  /** Beside the program, which keeps the keyboard: the person goes on stepping. */
  show(expression: string): void {
    const shown = this.#open.find((panel) => panel.expression === expression);
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    if (shown) shown.page.reveal({ preserveFocus: true });
    else this.#add(vscode.window.createWebviewPanel(valueViewType, expression, column, {}), expression);
  }

  /** After a reload of the window; `state` is what the page saved. */
  restore(panel: vscode.WebviewPanel, state: unknown): void {
    const saved = valueStateSchema.safeParse(state);
    this.#add(panel, saved.success ? saved.data.expression : '');
  }

  #add(panel: vscode.WebviewPanel, expression: string): void {
    this.#open.add(new ValuePanel(panel, expression, this.#program, this.#services));
  }
}
