/** A panel's page as the extension writes it. */
import { origin } from './harness.ts';
import { importWithVscode } from './vscode-stub.ts';

type HtmlModule = {
  webviewHtml(webview: unknown, extensionUri: unknown, options: object): string;
};

/** @param initial what the host puts into the page, such as its translated texts */
export async function panelHtml(panel: string, initial: unknown, title = 'Test'): Promise<string> {
  const { webviewHtml } = await importWithVscode<HtmlModule>('extension/panels/webview-html.ts');
  const webview = {
    cspSource: origin,
    asWebviewUri: ({ path }: { path: string }) => `${origin}/${path.split('/').at(-1)}`,
  };
  return webviewHtml(webview, { scheme: 'file', path: '/extension' }, { panel, title, initial });
}
