/** What every panel stands on: the policy of its page, when the page hears news, and what ends with it. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from '../../backend/protocol/config/zod.ts';
import { nothing, notification, request } from '../../backend/protocol/rpc/define.ts';
import type * as OpenPanelsModule from '../../extension/panels/open-panels.ts';
import type * as PageModule from '../../extension/panels/page.ts';
import { load } from './extension/load.ts';

const { exports, vscode } = await load<typeof PageModule & typeof OpenPanelsModule>(
  "export * from './extension/panels/page.ts'; export * from './extension/panels/open-panels.ts';",
);

const news = notification('test/news', z.strictObject({ text: z.string() }));
const question = request('test/question', z.strictObject({}), nothing);

function fakePanel() {
  const received = new vscode.EventEmitter<unknown>();
  const viewState = new vscode.EventEmitter<unknown>();
  const closed = new vscode.EventEmitter<unknown>();
  const posted: { type: string; method?: string }[] = [];
  const webview = {
    ...{ cspSource: 'https://*.webview.example', options: {}, html: '', onDidReceiveMessage: received.event },
    asWebviewUri: ({ fsPath }: { fsPath: string }) => `https://webview.example${fsPath}`,
    postMessage: async (message: never) => posted.push(message),
  };
  const panel = {
    ...{ title: 'A "title" & <more>', visible: true, webview, iconPath: undefined },
    ...{ onDidChangeViewState: viewState.event, onDidDispose: closed.event, reveal() {} },
    dispose: () => closed.fire(undefined),
  };
  let id = 0;
  return {
    ...{ panel, posted },
    asks: () => received.fire({ type: 'request', id: id++, method: question.method, params: {} }),
    hide() {
      panel.visible = false;
      viewState.fire({});
    },
    look() {
      panel.visible = true;
      viewState.fire({});
    },
  };
}

let fake: ReturnType<typeof fakePanel>;
beforeEach(() => {
  fake = fakePanel();
});

const services = { extensionUri: vscode.Uri.file('/extension'), log: { error() {} } } as never;
const open = () => new exports.Page(fake.panel as never, services, { name: 'monitor', initial: { a: '</script>' } });
const told = () => fake.posted.filter(({ type }) => type === 'notification').length;

/** Whoever changes it says why, and what follows for every panel. */
test('the policy of every page is this, to the letter', () => {
  open();
  const { html } = fake.panel.webview;
  const [, nonce] = /<script nonce="([^"]+)" src/.exec(html)!;
  assert.match(nonce!, /^[A-Za-z0-9+/]{22}==$/);
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
  assert.equal(
    policy!.replaceAll('&#39;', "'").replace(nonce!, 'NONCE'),
    "default-src 'none'; script-src 'nonce-NONCE'; style-src https://*.webview.example 'unsafe-inline'; " +
      "font-src https://*.webview.example; img-src https://*.webview.example blob: data:; form-action 'none'; base-uri 'none'",
  );
  assert.equal(html.match(/<script/g)!.length, 2);
  assert.equal(html.match(new RegExp(`<script[^>]* nonce="${nonce!.replace(/[+]/g, '[+]')}"`, 'g'))!.length, 2);
  assert.ok(html.includes('<title>A &quot;title&quot; &amp; &lt;more&gt;</title>'));
  assert.deepEqual(fake.panel.webview.options, {
    enableScripts: true,
    localResourceRoots: [vscode.Uri.file('/extension/dist/webview')],
  });
  const first = nonce;
  fake = fakePanel();
  open();
  assert.ok(!fake.panel.webview.html.includes(first!), 'every page has a nonce of its own');
});

test('no panel makes a page, a channel or a serializer of its own', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const only = new Map([
    [/[.]html = /, 'extension/panels/page.ts'],
    [/webviewHtml\(/, 'extension/panels/page.ts extension/panels/webview-html.ts'],
    [/new PanelChannel\(/, 'extension/panels/page.ts'],
    [/registerWebviewPanelSerializer\(/, 'extension/panels/restored.ts'],
    [/Content-Security-Policy/, 'extension/panels/webview-html.ts'],
  ]);
  const found = new Map([...only.keys()].map((pattern) => [pattern, [] as string[]]));
  for (const name of (await readdir(join(root, 'extension'), { recursive: true })).sort()) {
    if (!name.endsWith('.ts')) continue;
    const source = await readFile(join(root, 'extension', name), 'utf8');
    for (const [pattern, files] of found) if (pattern.test(source)) files.push(`extension/${name}`);
  }
  for (const [pattern, files] of found) assert.equal(files.join(' '), only.get(pattern), String(pattern));
});

test('a page hears news from its first question until it is hidden, and again when its successor asks', () => {
  const page = open();
  page.tell(news, { text: 'before it listens' });
  assert.equal(told(), 0);
  fake.asks();
  page.tell(news, { text: 'heard' });
  assert.equal(told(), 1);
  fake.hide();
  fake.asks(); // the old page's last words
  page.tell(news, { text: 'hidden' });
  fake.look();
  page.tell(news, { text: 'the new page has not asked yet' });
  assert.equal(told(), 1);
  fake.asks();
  page.tell(news, { text: 'heard' });
  assert.equal(told(), 2);
});

test('what a page still waits for is cancelled when it is hidden, and what it kept ends when it is closed', () => {
  const page = open();
  const happened: string[] = [];
  page.channel.handle(question, async (_, token) => {
    token.onCancellationRequested(() => happened.push('cancelled'));
    return new Promise<null>(() => {});
  });
  page.keep({ dispose: () => happened.push('disposed') });
  page.onGone(() => happened.push(`gone, listening: ${page.listening}`));
  page.onClosed(() => happened.push('closed'));
  fake.asks();
  fake.hide();
  assert.deepEqual(happened, ['cancelled', 'gone, listening: false']);
  happened.length = 0;
  page.close();
  assert.deepEqual(happened, ['gone, listening: false', 'disposed', 'closed']);
});

test('of a kind of which there is one, the next closes the last; of others, what is closed is forgotten', () => {
  const one = new exports.OnePanel();
  const first = open();
  one.set(first);
  let isClosed = false;
  first.onClosed(() => {
    isClosed = true;
  });
  one.makeRoom();
  assert.deepEqual([isClosed, one.page], [true, null]);
  fake = fakePanel();
  const second = open();
  one.set(second);
  assert.equal(one.page, second);

  const many = new exports.OpenPanels<{ page: PageModule.Page; name: string }>();
  many.add({ page: second, name: 'b' });
  assert.equal(many.find(({ name }) => name === 'b')?.page, second);
  second.close();
  assert.equal(
    many.find(() => true),
    undefined,
  );
});
