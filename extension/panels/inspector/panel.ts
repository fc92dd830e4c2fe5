/**
 * One score inspector: a page, and the way from it to the backend. The page owns what is inspected; here is only which run it says
 * that is, for the title and for the news of it.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import {
  describeInspection,
  type InspectorChoice,
  inspectedChanged,
  inspectHere,
  inspectorTitle,
  inspectScores,
  pickInspected,
  progress,
  saveInspectorPng,
  saveInspectorTensors,
} from '../../../backend/protocol/panels/inspector.ts';
import type { RequestDefinition } from '../../../backend/protocol/rpc/define.ts';
import { runChanged } from '../../../backend/protocol/rpc/runs.ts';
import type { Services } from '../../services.ts';
import { saveBytes, saveWhere } from '../monitor/export.ts';
import { pickRuns } from '../monitor/pick-runs.ts';
import { Page } from '../page.ts';
import { safetensorsViewType } from '../safetensors/view-type.ts';
import { checkTrust } from '../trust.ts';
import { pythonFor } from './python.ts';
import { inspectorTexts } from './texts.ts';

export class InspectorPanel {
  readonly page: Page;
  readonly #services: Services;
  /** What the page asked and waits for. */
  readonly #asked = new Set<string>();
  #folder: string | null;

  /** @param choice null: the page kept it */
  constructor(panel: vscode.WebviewPanel, folder: string | null, choice: InspectorChoice | null, services: Services) {
    this.#services = services;
    this.#folder = folder;
    const initial = { texts: inspectorTexts(), choice };
    const page = new Page(panel, services, { name: 'inspector', title: this.#title(), initial });
    this.page = page;
    this.#answerPage();
    const { backend } = services;
    page.keep(
      backend.onNotification(progress, (news) => {
        if (this.#asked.has(news.id)) page.tell(progress, news);
      }),
      // A checkpoint came, or the run ended.
      backend.onNotification(runChanged, ({ folder: changed }) => {
        if (changed === this.#folder) page.tell(inspectedChanged, {});
      }),
      backend.onDidStart(() => page.tell(inspectedChanged, {})),
    );
  }

  get folder(): string | null {
    return this.#folder;
  }

  show(choice: InspectorChoice): void {
    this.page.reveal();
    this.page.channel.notify(inspectHere, choice);
  }

  #answerPage(): void {
    const { channel } = this.page;
    channel.handle(pickInspected, async () => {
      const [folder = null] = await pickRuns(this.#services.runs, []);
      return { folder };
    });
    channel.on(inspectorTitle, ({ folder }) => {
      this.#folder = folder;
      this.page.title = this.#title();
    });
    this.#forward(describeInspection);
    this.#forward(inspectScores);
    channel.handle(saveInspectorPng, ({ name, png }) => saveBytes(basename(name), { PNG: ['png'] }, async () => png));
    channel.handle(saveInspectorTensors, async ({ name, file }) => {
      const saved = await saveWhere(basename(name), { safetensors: ['safetensors'] }, async () => file);
      if (saved !== null) this.#offerPython(saved);
      return saved !== null;
    });
  }

  #forward<P extends { id: string }, R>(definition: RequestDefinition<P, R>): void {
    this.page.channel.handle(definition, async (params, token) => {
      // Networks that a config names are opened and run.
      checkTrust();
      this.#asked.add(params.id);
      try {
        return await this.#services.backend.request(definition, params, token);
      } finally {
        this.#asked.delete(params.id);
      }
    });
  }

  /** Not waited for: the file is written. */
  #offerPython(file: string): void {
    const open = vscode.l10n.t('Open File');
    const copy = vscode.l10n.t('Copy Python');
    const said = vscode.l10n.t('Every tensor of the inspection is in {0}.', basename(file));
    vscode.window.showInformationMessage(said, copy, open).then((chosen) => {
      if (chosen === open) {
        vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(file), safetensorsViewType);
      }
      if (chosen === copy) vscode.env.clipboard.writeText(pythonFor(file));
    });
  }

  #title(): string {
    const name = this.#folder && (this.#services.runs.get(this.#folder)?.name ?? basename(this.#folder));
    return name ? vscode.l10n.t('Scores: {0}', name) : vscode.l10n.t('Score Inspector');
  }
}
