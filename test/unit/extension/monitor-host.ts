/** The host's side of monitors without pages: panels whose page is the test. */
import { EventEmitter } from 'node:events';
import type { RequestDefinition } from '../../../backend/protocol/rpc/define.ts';
import type { HostModule } from '../../webview/monitor/open.ts';
import { importWithVscode } from '../../webview/vscode-stub.ts';

export interface FakePanel {
  title: string;
  active: boolean;
  visible: boolean;
  revealed: number;
  disposed: boolean;
  /** What the host told the page, the newest last. */
  readonly told: { method: string; params: unknown }[];
  ask<P, R>(definition: RequestDefinition<P, R>, params: P): Promise<R>;
  /** The person looks at it, or at another tab. */
  look(visible: boolean): void;
  dispose(): void;
}

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
  const newPanel = () => fakePanel();
  host.vscode.answers.set('window.createWebviewPanel', () => {
    made.push(newPanel());
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
  return { host, panels, made, memory, newPanel };
}

function fakePanel(): FakePanel {
  const events = new EventEmitter();
  const on = (name: string) => (listener: (value: unknown) => void) => {
    events.on(name, listener);
    return { dispose: () => events.off(name, listener) };
  };
  const answers = new Map<number, (message: { type: string; result: unknown; error: unknown }) => void>();
  let last = 0;
  const panel = {
    title: '',
    active: true,
    visible: true,
    revealed: 0,
    disposed: false,
    told: [] as { method: string; params: unknown }[],
    webview: {
      cspSource: 'x:',
      options: {},
      html: '',
      asWebviewUri: ({ path }: { path: string }) => path,
      onDidReceiveMessage: on('message'),
      postMessage: async (message: never) => {
        const { type, id, method, params } = message as { type: string; id: number; method: string; params: unknown };
        if (type === 'notification') panel.told.push({ method, params });
        else answers.get(id)?.(message);
        return true;
      },
    },
    onDidChangeViewState: on('viewState'),
    onDidDispose: on('dispose'),
    reveal() {
      panel.revealed += 1;
    },
    ask<P, R>({ method }: RequestDefinition<P, R>, params: P): Promise<R> {
      const id = ++last;
      return new Promise((resolve, reject) => {
        answers.set(id, (message) => {
          if (message.type === 'result') resolve(message.result as R);
          else reject(Object.assign(new Error(), message.error));
        });
        events.emit('message', { type: 'request', id, method, params });
      });
    },
    look(visible: boolean) {
      panel.visible = visible;
      panel.active = visible;
      events.emit('viewState', {});
    },
    dispose() {
      if (panel.disposed) return;
      panel.disposed = true;
      events.emit('dispose');
    },
  };
  return panel;
}
