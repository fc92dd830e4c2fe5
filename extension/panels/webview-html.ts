/** The page of a webview: one script, one style sheet, and a policy that allows nothing else. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

export interface PageOptions {
  /** Names the bundle: dist/webview/<panel>.js and .css. */
  readonly panel: string;
  readonly title: string;
  /** JSON for the page, such as translated strings; read it from the element with the id `initial`. */
  readonly initial?: unknown;
}

/** What every webview may load: its own bundle. */
export function webviewOptions(extensionUri: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [bundleFolder(extensionUri)] };
}

/**
 * Styles may be inline because the toolkit's components and the charts set them; scripts may not. Pictures come as
 * messages and are shown from blobs.
 */
export function webviewHtml(webview: vscode.Webview, extensionUri: vscode.Uri, options: PageOptions): string {
  const nonce = randomBytes(16).toString('base64');
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(bundleFolder(extensionUri), name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'unsafe-inline'`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} blob: data:`,
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeHtml(at(`${options.panel}.css`))}">
<title>${escapeHtml(options.title)}</title>
</head>
<body>
<div id="root"></div>
<script type="application/json" id="initial" nonce="${nonce}">${jsonForHtml(options.initial ?? {})}</script>
<script nonce="${nonce}" src="${escapeHtml(at(`${options.panel}.js`))}"></script>
</body>
</html>`;
}

function bundleFolder(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => names[character]!);
}

/** No text can end the script element or open a comment in it. */
function jsonForHtml(value: unknown): string {
  return JSON.stringify(value).replace(/</g, '\\u003c');
}
