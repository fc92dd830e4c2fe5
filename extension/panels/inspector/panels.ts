/** The open score inspectors: one per run. */
import * as vscode from 'vscode';
import {
  type InspectorChoice,
  inspectorChoiceSchema,
  inspectorStateSchema,
} from '../../../backend/protocol/panels/inspector.ts';
import type { Services } from '../../services.ts';
import { foldersOf } from '../monitor/panels.ts';
import { OpenPanels } from '../open-panels.ts';
import { InspectorPanel } from './panel.ts';
import { inspectorViewType } from './view-type.ts';

export class InspectorPanels {
  readonly #services: Services;
  readonly #open = new OpenPanels<InspectorPanel>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** @param what an InspectorChoice, or a run as commands are called with: path, URI, item of the runs view; nothing: the page asks */
  openFor(what: readonly unknown[]): void {
    const choice = choiceOf(what);
    const shown = this.#open.find(({ folder }) => folder !== null && folder === choice.folder);
    if (shown) {
      shown.show(choice);
      return;
    }
    const panel = vscode.window.createWebviewPanel(inspectorViewType, '', vscode.ViewColumn.Active, {});
    this.#add(panel, choice.folder, choice);
  }

  /** After a reload of the window; `state` is what the page saved. */
  restore(panel: vscode.WebviewPanel, state: unknown): void {
    const saved = inspectorStateSchema.safeParse(state);
    this.#add(panel, saved.success ? saved.data.folder : null, null);
  }

  #add(panel: vscode.WebviewPanel, folder: string | null, choice: InspectorChoice | null): void {
    this.#open.add(new InspectorPanel(panel, folder, choice, this.#services));
  }
}

function choiceOf(what: readonly unknown[]): InspectorChoice {
  const [first] = what;
  const choice = inspectorChoiceSchema.safeParse(first);
  if (choice.success) return choice.data;
  const [folder = null] = foldersOf(what);
  return { folder };
}
