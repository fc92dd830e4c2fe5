/** A test in the real editor, once for every version; what it saw last is kept when it fails. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from './browser.ts';
import { type Editor, installedFolder, packedExtension, testedEditors } from './installed.ts';
import { EditorServer, type ServerOptions } from './server.ts';
import { Workbench } from './workbench.ts';

const results = fileURLToPath(new URL('../../../test-results', import.meta.url));

/** Long, because machines that test may be busy; what is there is not waited for. Under the limit of scripts/test.mjs. */
const testMilliseconds = 1_200_000;
const actionMilliseconds = 120_000;

export interface EditorContext {
  readonly editor: Editor;
  readonly server: EditorServer;
  readonly workbench: Workbench;
}

interface EditorTestOptions extends Omit<ServerOptions, 'vsix' | 'installed'> {
  /** Where the backend or a panel is asked more than the editor: the newest version alone. */
  readonly newestOnly?: boolean;
}

/** Defines a test that gets an editor of its own with the packed extension installed and its window open. */
export function editorTest(
  name: string,
  { newestOnly = false, ...options }: EditorTestOptions,
  body: (context: EditorContext, test: TestContext) => Promise<void>,
): void {
  for (const editor of newestOnly ? testedEditors().slice(-1) : testedEditors()) {
    const title = `${name} (VS Code ${editor.vscode})`;
    test(title, { skip: editor.missing ?? false, timeout: testMilliseconds + 30_000 }, async (context) => {
      const server = await EditorServer.start(editor, {
        ...options,
        vsix: await packedExtension(),
        installed: installedFolder(),
      });
      try {
        await withWindow(server, title, (workbench) => body({ editor, server, workbench }, context));
      } finally {
        await server.dispose();
      }
    });
  }
}

async function withWindow(server: EditorServer, title: string, body: (workbench: Workbench) => Promise<void>) {
  const browser = await launchBrowser();
  const said: string[] = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(actionMilliseconds);
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => said.push(`uncaught: ${error.message}`));
    const workbench = new Workbench(page);
    try {
      await workbench.open(server.url);
      await inTime(body(workbench));
    } catch (error) {
      const folder = join(results, title.replace(/[^\w.]+/g, '-'));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'server.log'), server.log());
      writeFileSync(join(folder, 'window.log'), `${said.join('\n')}\n`);
      await page.screenshot({ path: join(folder, 'window.png') }).catch(() => {}); // the first error is the one to see
      throw error;
    }
  } finally {
    await browser.close();
  }
}

/** Ends before the test runner does, which would leave neither a picture nor the machine to the next test. */
function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`not done after ${testMilliseconds / 1000} s`);
    timer = setTimeout(() => reject(error), testMilliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
