/** A program in the editor's debugger, driven as a person does. */
import type { Locator } from 'playwright-core';
import { until } from './until.ts';
import type { Workbench } from './workbench.ts';

export class Debugging {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Opens a file of the workspace and sets a breakpoint. @param line from 1 */
  async breakAt(file: string, line: number, condition = ''): Promise<void> {
    const { page } = this.#workbench;
    await page.keyboard.press('Control+P');
    await this.#workbench.quickInput.fill(`${file}:${line}`);
    await this.#workbench.pick(file);
    await this.#workbench.tab(file).waitFor();
    await page.locator('.editor-instance .view-line').first().waitFor();
    if (condition === '') await this.#workbench.run('Debug: Toggle Breakpoint');
    else {
      await this.#workbench.run('Debug: Add Conditional Breakpoint...');
      // What is typed before the widget has the keyboard goes into the file.
      await page.locator('.breakpoint-widget .inputContainer .monaco-editor.focused').first().waitFor();
      await page.keyboard.insertText(condition);
      await page.keyboard.press('Enter');
    }
    await page.locator('.codicon-debug-breakpoint, .codicon-debug-breakpoint-conditional').first().waitFor();
  }

  /** Starts what launch.json names first, and waits until it stops. */
  async start(): Promise<void> {
    await this.#workbench.page.keyboard.press('F5');
    await this.stopped();
  }

  async stopped(): Promise<void> {
    await this.#workbench.page.locator('.debug-top-stack-frame-column, .debug-top-stack-frame-line').first().waitFor();
    await until('the toolbar to offer to go on', () => this.#goOn.isVisible());
  }

  /** Lets the program run to its next stop. The page that shows values says where. */
  async goOn(): Promise<void> {
    await this.#goOn.click();
  }

  async end(): Promise<void> {
    await this.#workbench.run('Debug: Stop');
    await this.#goOn.waitFor({ state: 'hidden' });
  }

  /** A line of the Variables view. */
  async variable(name: string): Promise<Locator> {
    const row = this.#workbench.page.locator('.debug-viewlet .debug-variables .monaco-list-row', {
      has: this.#workbench.page.locator('.name', { hasText: new RegExp(`^${name}\\s*:?\\s*=?$`) }),
    });
    await row.first().scrollIntoViewIfNeeded();
    return row.first();
  }

  get #goOn(): Locator {
    return this.#workbench.page.locator('.debug-toolbar .codicon-debug-continue');
  }
}
