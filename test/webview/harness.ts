/**
 * A panel's built page in a real browser without the editor: dist/webview/<panel>.js and .css as the extension's own HTML
 * loads them (the policy included), a stand-in for the editor's API, and the colours of one of its themes.
 *
 * Nothing listens on a port: the page's files are handed to the browser as it asks for them.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { crossing, fromWire, toWire } from './crossing.ts';
import { type ThemeName, themes } from './themes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const executable = process.env.DMD_TEST_CHROMIUM ?? '/usr/bin/chromium';
export const origin = 'https://panel.invalid';

/** Why tests in a browser cannot run here; false when they can. */
export const noBrowser = existsSync(executable) ? false : `no browser at ${executable} (Debian: chromium)`;

export function launchBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  return chromium.launch({ executablePath: executable, headless: true, args });
}

/** Looks again at every frame. A page's policy forbids the evaluating that Playwright's own waiting for a function does. */
export async function until(page: Page, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited too long for ${what}`);
    await page.evaluate('new Promise(requestAnimationFrame)');
  }
}

export interface PanelOptions {
  /** The page's HTML, as the extension makes it, with `origin` as source of what it loads. */
  readonly html: string;
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  /** What an earlier page saved. */
  readonly state?: unknown;
  /** What the page posts, as the extension host would get it. */
  readonly onMessage: (message: unknown) => void;
  /** Called before the page's script runs: it may be answered from its first message on. */
  readonly onOpen?: (page: PanelPage) => void;
}

export interface PanelPage {
  readonly page: Page;
  /** As `webview.postMessage`: to a page that is closed it does nothing. */
  post(message: unknown): Promise<void>;
  /** What the page saved last. */
  state(): unknown;
  /** Errors of the page and what its policy refused, so far. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

export async function openPanel(browser: Browser, options: PanelOptions): Promise<PanelPage> {
  const { html, theme = 'dark', width = 1280, height = 900, onMessage } = options;
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000); // machines that test may be busy
  const problems: string[] = [];
  let state = options.state;
  let closed = false;
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.exposeFunction('dmdPost', (text: string) => onMessage(fromWire(text)));
  await page.exposeFunction('dmdSetState', (text: string) => {
    state = JSON.parse(text);
  });
  await page.addInitScript({ content: editorApi(state) });
  await page.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: themed(html, theme) });
    const file = path.join(root, 'dist', 'webview', path.basename(pathname));
    if (!existsSync(file)) return route.fulfill({ status: 404, body: '' });
    const contentType = file.endsWith('.css') ? 'text/css' : 'text/javascript';
    return route.fulfill({ contentType, body: await readFile(file) });
  });
  const opened: PanelPage = {
    page,
    post: async (message) => {
      try {
        await page.evaluate((text) => dmdDeliver(text), toWire(message));
      } catch (error) {
        if (!closed) throw error;
      }
    },
    state: () => state,
    problems,
    close: () => {
      closed = true;
      return context.close();
    },
  };
  options.onOpen?.(opened);
  await page.goto(`${origin}/`);
  return opened;
}

declare function dmdDeliver(text: string): void;

/** As the editor: the theme's colours on the root element, its kind on the body. */
function themed(html: string, name: ThemeName): string {
  const { kind, variables } = themes[name];
  const colours = Object.entries(variables).map(([key, value]) => `--vscode-${key}: ${value};`);
  return html
    .replace('<html ', `<html style="${colours.join(' ')}" `)
    .replace('<body>', `<body class="${kind}" data-vscode-theme-kind="${kind}">`);
}

/** Runs in the page before its script: what the editor gives to every webview. */
function editorApi(state: unknown): string {
  return `
${crossing}
let state = ${JSON.stringify(state) ?? 'undefined'};
window.dmdCrossing = crossing;
window.dmdDeliver = (text) => window.dispatchEvent(new MessageEvent('message', { data: crossing.fromWire(text) }));
window.acquireVsCodeApi = () => ({
  postMessage: (message) => void window.dmdPost(crossing.toWire(message)),
  getState: () => state,
  setState: (next) => { state = next; void window.dmdSetState(JSON.stringify(next) ?? 'null'); return next; },
});`;
}
