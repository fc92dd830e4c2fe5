/** What panels' host code needs of the editor's API, for tests in which no editor runs. What is asked of it is noted. */

type Listener<T> = (event: T) => unknown;

export class EventEmitter<T> {
  readonly #listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>) => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };
  fire(event: T): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

export class CancellationError extends Error {}

export class CancellationTokenSource {
  readonly #cancelled = new EventEmitter<void>();
  readonly token = { isCancellationRequested: false, onCancellationRequested: this.#cancelled.event };
  cancel(): void {
    if (this.token.isCancellationRequested) return;
    this.token.isCancellationRequested = true;
    this.#cancelled.fire();
  }
  dispose(): void {}
}

export class Disposable {
  readonly dispose: () => void;
  constructor(dispose: () => void) {
    this.dispose = dispose;
  }
}

export class ThemeIcon {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

export class Uri {
  readonly scheme: string;
  readonly path: string;
  private constructor(scheme: string, path: string) {
    this.scheme = scheme;
    this.path = path;
  }
  static file(path: string): Uri {
    return new Uri('file', path);
  }
  static joinPath({ scheme, path }: Uri, ...parts: string[]): Uri {
    return new Uri(scheme, [path, ...parts].join('/'));
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return `${this.scheme}://${this.path}`;
  }
}

export const QuickPickItemKind = { Separator: -1, Default: 0 };
export const ViewColumn = { Active: -1, Beside: -2, One: 1 };
export const ProgressLocation = { Notification: 15 };
export const env = { language: 'en' };
export const l10n = {
  t: (text: string, ...values: unknown[]) =>
    text.replace(/\{(\d+)\}/g, (whole, index) => String(values[Number(index)] ?? whole)),
};

/** Calls of window, workspace and commands by name, e.g. ['window.showInformationMessage', [...]]. */
export const calls: [string, unknown[]][] = [];
/** What such a call answers; default: undefined. */
export const answers = new Map<string, (...values: never[]) => unknown>();

function noting(area: string, own: object = {}): Record<string, (...values: unknown[]) => unknown> {
  return new Proxy(own as Record<string, (...values: unknown[]) => unknown>, {
    get(target, name: string) {
      if (name in target) return target[name];
      return (...values: unknown[]) => {
        calls.push([`${area}.${name}`, values]);
        return answers.get(`${area}.${name}`)?.(...(values as never[]));
      };
    },
  });
}

const nothing = () => new Disposable(() => {});

export const window = noting('window', {
  activeTextEditor: undefined,
  visibleTextEditors: [],
  onDidChangeActiveTextEditor: nothing,
  onDidChangeTextEditorSelection: nothing,
});
export const workspace = noting('workspace', {
  isTrusted: true,
  workspaceFolders: undefined,
  onDidCloseTextDocument: nothing,
  fs: noting('workspace.fs'),
});
export const commands = noting('commands');
