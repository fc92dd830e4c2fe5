/** A playground as a person has it, without the editor: the real page in a browser, the real host code, real runs behind it. */
import type { Browser } from 'playwright-core';
import { watchRuns } from '../../../backend/protocol/rpc/index.ts';
import type { PanelPage } from '../harness.ts';
import { type HostCode, HostPanel, hostServices } from '../host-panel.ts';
import type { BackendInProcess } from '../monitor/backend.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';

interface HostModule extends HostCode {
  PlaygroundPanel: new (services: object) => { show(): void; adopt(panel: object): void };
}

let hostModule: Promise<HostModule> | undefined;

export interface OpenPlayground extends PanelPage {
  readonly host: HostModule;
  /** As when another tab covers it and it is looked at again: a new page with what the old one saved. */
  again(): Promise<OpenPlayground>;
}

export interface PlaygroundOptions {
  readonly browser: Browser;
  readonly backend: BackendInProcess;
  /** Where runs go. */
  readonly root: string;
  readonly theme?: ThemeName;
  readonly state?: unknown;
}

export async function openPlayground(options: PlaygroundOptions): Promise<OpenPlayground> {
  const { browser, backend, root, theme, state } = options;
  hostModule ??= importWithVscode<HostModule>('test/webview/playground/host-entry.ts');
  const host = await hostModule;
  const hosted = new HostPanel();
  const services = hostServices(host, backend, {
    runs: { watch: () => backend.request(watchRuns, { roots: [root] }), get: () => undefined },
    roots: { askForNewRun: async () => root, remember: async () => {} },
  });
  host.vscode.workspace.isTrusted = true;
  new host.PlaygroundPanel(services).adopt(hosted.panel);
  const openPage = async (kept: unknown): Promise<OpenPlayground> => {
    const page = await hosted.open(browser, { ...(theme ? { theme } : {}), state: kept });
    return {
      ...page,
      host,
      async again() {
        await page.close();
        return openPage(page.state());
      },
      close: () => hosted.close(page),
    };
  };
  return openPage(state);
}
