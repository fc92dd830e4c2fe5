/** One value panel: passes the page's questions on to the stopped program, and says when it stops and runs on. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { readArray, readStop, savePicture, stopChanged, titleChanged } from '../../../backend/protocol/panels/value.ts';
import type { Services } from '../../services.ts';
import { readValue } from '../../values/read.ts';
import type { StoppedProgram } from '../../values/stopped-program.ts';
import { saveBytes } from '../monitor/export.ts';
import { Page } from '../page.ts';
import { valueTexts } from './texts.ts';

const longestTitle = 40;

export class ValuePanel {
  readonly page: Page;
  readonly #program: StoppedProgram;
  #expression: string;

  constructor(panel: vscode.WebviewPanel, expression: string, program: StoppedProgram, services: Services) {
    this.#program = program;
    this.#expression = expression;
    const initial = { texts: valueTexts(), expression };
    this.page = new Page(panel, services, { name: 'value', title: titleOf(expression), initial });
    this.#answerPage();
    this.page.keep(program.onDidChange(() => void this.#tell()));
  }

  get expression(): string {
    return this.#expression;
  }

  #answerPage(): void {
    const { channel } = this.page;
    channel.handle(readStop, async () => (await this.#program.current())?.stop ?? null);
    channel.handle(readArray, async (question) => readValue((await this.#program.current())?.debuggee, question));
    channel.handle(savePicture, ({ name, png }) => saveBytes(basename(name), { PNG: ['png'] }, async () => png));
    channel.on(titleChanged, ({ expression }) => {
      this.#expression = expression;
      this.page.title = titleOf(expression);
    });
  }

  async #tell(): Promise<void> {
    if (!this.page.listening) return;
    const at = await this.#program.current();
    if (at === undefined || !at.debuggee.resumed.aborted) this.page.tell(stopChanged, { stop: at?.stop ?? null });
  }
}

function titleOf(expression: string): string {
  const text = expression.replace(/\s+/g, ' ');
  const short = text.length > longestTitle ? `${text.slice(0, longestTitle)}…` : text;
  return short || vscode.l10n.t('Value');
}
