// A `vscode` for unit tests: the classes that the extension makes, and functions that note their calls in `calls` and answer
// with what a test put into `answers` by name. What is not here is a function that does nothing.
const calls = [];
const answers = new Map();
const registered = new Map();
const disposable = (dispose = () => {}) => ({ dispose });

class EventEmitter {
  #listeners = new Set();
  event = (listener) => {
    this.#listeners.add(listener);
    return disposable(() => this.#listeners.delete(listener));
  };
  fire(value) {
    for (const listener of [...this.#listeners]) listener(value);
  }
  dispose() {
    this.#listeners.clear();
  }
}

class Uri {
  constructor(fsPath, scheme = 'file') {
    Object.assign(this, { fsPath, scheme, path: fsPath });
  }
  static file(path) {
    return new Uri(path);
  }
  static parse(text) {
    const [, scheme, path] = /^([a-z]+):\/\/(.*)$/.exec(text);
    return new Uri(path, scheme);
  }
  static joinPath(base, ...parts) {
    return new Uri(require('node:path').join(base.fsPath, ...parts), base.scheme);
  }
  with({ scheme }) {
    return new Uri(this.fsPath, scheme);
  }
  toString() {
    return `${this.scheme}://${this.fsPath}`;
  }
}

class MarkdownString {
  value = '';
  appendMarkdown(text) {
    this.value += text;
    return this;
  }
  appendText(text) {
    this.value += text.replace(/[\\`*_{}[\]()#+\-!~<>]/g, '\\$&');
    return this;
  }
}

/** Notes the call and answers with what the test wants; a function is called. */
const noted =
  (name, otherwise) =>
  (...args) => {
    calls.push([name, ...args]);
    const answer = answers.has(name) ? answers.get(name) : otherwise;
    return Promise.resolve(typeof answer === 'function' ? answer(...args) : answer);
  };

/** Anything: can be called, made, and has every property. */
const anything = () =>
  new Proxy(function nothing() {}, {
    get: (_, key) =>
      key === Symbol.toPrimitive ? () => '' : key === 'then' ? undefined : (disposable()[key] ?? anything()),
    apply: () => disposable(),
    construct: () => disposable(),
  });
const lenient = (known) =>
  new Proxy(known, { get: (target, key) => (key in target || typeof key === 'symbol' ? target[key] : anything()) });

const trustGranted = new EventEmitter();
const configurationChanged = new EventEmitter();
const workspace = lenient({
  isTrusted: true,
  workspaceFolders: undefined,
  textDocuments: [],
  settings: {},
  getConfiguration: (section) => ({ get: (key, otherwise) => workspace.settings[`${section}.${key}`] ?? otherwise }),
  getWorkspaceFolder: () => undefined,
  onDidChangeConfiguration: configurationChanged.event,
  onDidChangeWorkspaceFolders: new EventEmitter().event,
  onDidGrantWorkspaceTrust: trustGranted.event,
  fs: { delete: noted('fs.delete') },
});

const log = { lines: [] };
for (const level of ['trace', 'debug', 'info', 'warn', 'error']) log[level] = (text) => log.lines.push([level, text]);

// A bundle copies the names that are there, so these have to be, whatever they do.
const others =
  'DebugAdapterExecutable CodeAction CodeActionKind CodeLens CompletionItem CompletionItemKind Diagnostic DiagnosticSeverity Position ProcessExecution ' +
  'Range RelativePattern Selection Task TaskGroup TaskScope ViewColumn debug languages notebooks tasks';

module.exports = {
  ...Object.fromEntries(others.split(' ').map((name) => [name, anything()])),
  calls,
  answers,
  registered,
  trustGranted,
  configurationChanged,
  log,
  EventEmitter,
  Uri,
  MarkdownString,
  WorkspaceEdit: class {
    insert() {}
  },
  CancellationError: class extends Error {},
  CancellationTokenSource: class {
    #cancelled = new EventEmitter();
    token = { isCancellationRequested: false, onCancellationRequested: this.#cancelled.event };
    cancel() {
      this.token.isCancellationRequested = true;
      this.#cancelled.fire();
    }
    dispose() {}
  },
  Disposable: class {
    constructor(dispose) {
      this.dispose = dispose;
    }
  },
  ThemeColor: class {
    constructor(id) {
      this.id = id;
    }
  },
  ThemeIcon: class {
    constructor(id, color) {
      Object.assign(this, { id, color });
    }
  },
  TreeItem: class {
    constructor(label, collapsibleState) {
      Object.assign(this, { label, collapsibleState });
    }
  },
  DebugConfigurationProviderTriggerKind: { Initial: 1, Dynamic: 2 },
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
  StatusBarAlignment: { Left: 1, Right: 2 },
  ProgressLocation: { SourceControl: 1, Window: 10, Notification: 15 },
  QuickPickItemKind: { Separator: -1, Default: 0 },
  l10n: { t: (text, ...args) => text.replace(/\{(\d)\}/g, (_, i) => String(args[i])) },
  env: lenient({ language: 'en', remoteName: undefined, clipboard: { writeText: noted('writeText') } }),
  commands: {
    registerCommand(id, handler) {
      registered.set(id, handler);
      return disposable(() => registered.delete(id));
    },
    executeCommand: noted('executeCommand'),
  },
  workspace,
  window: lenient({
    createOutputChannel: () => Object.assign(log, { show: noted('log.show'), ...disposable() }),
    createTreeView: (id, options) => {
      calls.push(['createTreeView', id]);
      return { id, options, ...disposable() };
    },
    createStatusBarItem: (id) => {
      const item = { id, shown: false, ...disposable() };
      item.show = () => Object.assign(item, { shown: true });
      item.hide = () => Object.assign(item, { shown: false });
      module.exports.statusBarItem = item;
      return item;
    },
    showErrorMessage: noted('showErrorMessage'),
    showWarningMessage: noted('showWarningMessage'),
    showInformationMessage: noted('showInformationMessage'),
    showInputBox: noted('showInputBox'),
    showQuickPick: noted('showQuickPick'),
    showOpenDialog: noted('showOpenDialog'),
    showSaveDialog: noted('showSaveDialog'),
    showTextDocument: noted('showTextDocument'),
    showWorkspaceFolderPick: noted('showWorkspaceFolderPick'),
    withProgress: (options, work) => {
      const report = (step) => calls.push(['report', options.title, step]);
      return work({ report }, { isCancellationRequested: false, onCancellationRequested: () => disposable() });
    },
  }),
};
