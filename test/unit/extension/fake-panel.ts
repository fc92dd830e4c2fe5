/** A panel of the editor whose page is the test. */
import { EventEmitter } from 'node:events';
import type { RequestDefinition } from '../../../backend/protocol/rpc/define.ts';

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

export function fakePanel(): FakePanel {
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
