/** The host's side of monitors without pages: panels whose page is the test. */
import type { HostModule } from '../../webview/monitor/open.ts';
import { importWithVscode } from '../../webview/vscode-stub.ts';
import { type FakePanel, fakePanel } from './fake-panel.ts';

export interface MonitorHost {
  readonly host: HostModule;
  readonly panels: InstanceType<HostModule['MonitorPanels']> & { keep(): void };
  /** Panels that were made, in order. */
  readonly made: FakePanel[];
  readonly memory: Map<string, unknown>;
  /** One that the editor brings back. */
  newPanel(): FakePanel;
}

/** @param memory of the workspace, which outlives a window */
export async function monitorHost(
  backend: object,
  { memory = new Map<string, unknown>(), runs = [] as unknown[] } = {},
): Promise<MonitorHost> {
  const host = await importWithVscode<HostModule>('test/webview/monitor/host-entry.ts');
  const made: FakePanel[] = [];
  host.vscode.answers.set('window.createWebviewPanel', () => {
    made.push(fakePanel());
    return made.at(-1);
  });
  const settings = { get: (_: string, otherwise: unknown) => otherwise };
  host.vscode.answers.set('workspace.getConfiguration', () => settings);
  const workspaceState = {
    get: (key: string, otherwise: unknown) => memory.get(key) ?? otherwise,
    update: async (key: string, value: unknown) => void memory.set(key, value),
  };
  const services = {
    extensionUri: { scheme: 'file', path: '/extension' },
    backend,
    log: { error: () => {} },
    errors: { log: () => {} },
    news: { seen: () => {} },
    runs: { watch: async () => runs, get: () => undefined, onDidChange: () => ({ dispose() {} }) },
  };
  const panels = new host.MonitorPanels(services, workspaceState, workspaceState) as MonitorHost['panels'];
  return { host, panels, made, memory, newPanel: fakePanel };
}
