/** The editor's window, driven as a person does: by what it shows. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { until } from './until.ts';

export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens or reloads the window; it is ready when the extension's icon has appeared, for the palette shows no later command. */
  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.ready();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** By its own command, for what the window keeps of itself; a page that is torn away keeps what it was a minute ago. */
  async reloadInOrder(): Promise<void> {
    await Promise.all([this.page.waitForEvent('load'), this.run('Developer: Reload Window')]);
    await this.ready();
  }

  async ready(): Promise<void> {
    await this.activityIcon.waitFor();
  }

  get activityIcon(): Locator {
    return this.page.locator('.activitybar a.action-label[aria-label="DMD Workbench"]');
  }

  /**
   * Runs a command from the palette by its full title, e.g. `DMD: Generate Image`. An open palette does not learn of commands
   * that can be used only since, for the workspace is trusted by now: it is opened again.
   */
  async run(title: string): Promise<void> {
    await until(`${title} in the palette`, () => this.#offers(title));
    await this.paletteRow(title).click();
  }

  async #offers(title: string): Promise<boolean> {
    await this.openPalette(title);
    const shown = this.paletteRow(title).waitFor({ timeout: 5_000 });
    return shown.then(
      () => true,
      async () => {
        await this.page.keyboard.press('Escape');
        return false;
      },
    );
  }

  async openPalette(text: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.quickInput.fill(`>${text}`);
  }

  /** The palette's row whose label is exactly this: the search behind it is fuzzy. */
  paletteRow(label: string): Locator {
    const name = this.page.locator('.label-name', { hasText: exactly(label) });
    return this.page.locator('.quick-input-list .monaco-list-row').filter({ has: name }).first();
  }

  /** The text field of whatever quick pick or input is open. */
  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible .quick-input-filter input').first();
  }

  /** Chooses a row of an open quick pick. */
  async pick(label: string): Promise<void> {
    await this.paletteRow(label).click();
  }

  /** Chooses from a thing's menu. A menu that has just opened takes no click, which might be the one that opened it. */
  async chooseFromMenu(of: Locator, label: string): Promise<void> {
    await of.click({ button: 'right' });
    await this.page.locator('.monaco-menu .action-label', { hasText: label }).first().hover();
    await this.page.keyboard.press('Enter');
  }

  /** Answers an open input box. */
  async answer(text: string): Promise<void> {
    await this.quickInput.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /**
   * Answers an open file dialog. When it has read a folder, it writes that folder's path, or the proposed file's, over whatever
   * was typed before: what is typed counts once it has stayed for half a second beside the folder's list.
   */
  async answerFile(path: string): Promise<void> {
    await this.#typePath(path);
    await this.page.keyboard.press('Enter');
    await this.quickInput.waitFor({ state: 'hidden' });
  }

  /** Answers an open dialog for a folder, where Enter goes into the folder and a button takes it. */
  async answerFolder(path: string, button: string): Promise<void> {
    await this.#typePath(path);
    await this.page.keyboard.press('Enter');
    await until('the dialog to be in the folder', async () => (await this.quickInput.inputValue()) === `${path}/`);
    // A dialog that still reads its folder takes no click.
    await until('the dialog to take the folder', () => this.#taken(button));
  }

  async #taken(button: string): Promise<boolean> {
    const shown = this.page.locator('.quick-input-widget:visible').getByRole('button', { name: button, exact: true });
    if (await shown.isVisible()) await shown.click({ timeout: 5_000 }).catch(() => {});
    return this.quickInput.waitFor({ state: 'hidden', timeout: 5_000 }).then(
      () => true,
      () => false,
    );
  }

  async #typePath(path: string): Promise<void> {
    await until('the dialog to show a folder', async () => (await this.quickInput.inputValue()).startsWith('/'));
    await this.page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await until('the dialog to keep what is typed', () => this.#typed(path));
  }

  /** Whether the open field still holds the text half a second after it was typed. */
  async #typed(text: string): Promise<boolean> {
    await this.quickInput.fill(text);
    for (let look = 0; look < 10; look++) {
      await pause(50);
      if ((await this.quickInput.inputValue()) !== text) return false;
    }
    return true;
  }

  /** Shows the extension's views. */
  async openViews(): Promise<void> {
    if ((await this.view('Runs').count()) === 0) await this.activityIcon.click();
    await this.view('Runs').waitFor();
  }

  /** A view in the side bar, by its title. */
  view(title: string): Locator {
    return this.page
      .locator('.sidebar .pane')
      .filter({ has: this.page.locator(`.pane-header[aria-label^="${title}"]`) });
  }

  /** A row of a tree that contains this text. */
  row(view: string, text: string | RegExp): Locator {
    return this.view(view).locator('.monaco-list-row', { hasText: text });
  }

  /** The document in a webview editor whose tab is the active one. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready:visible').frameLocator('#active-frame');
  }

  tab(title: string | RegExp): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: title });
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast, .notification-list-item', { hasText: text }).first();
  }

  dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  statusItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** Takes a picture without tooltips or hovered rows. */
  async picture(path: string): Promise<void> {
    await this.page.mouse.move(0, 0);
    await this.page.screenshot({ path, animations: 'disabled' });
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
}
