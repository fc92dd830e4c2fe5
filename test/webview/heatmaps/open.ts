/** A page of its own with the shared views in it, and a theme's colours; no panel, no host. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { type ThemeName, themes } from '../themes.ts';

let bundle: Promise<string> | undefined;

/** What a test finds as `views` in the page. */
const contents = `
  export { HeatmapGroup } from './heatmaps/group.ts';
  export { HeatmapView } from './heatmaps/heatmap-view.ts';
  export { scoreSetOf } from './scores/score-set.ts';
  export { ScoreSetView } from './scores/score-set-view.ts';`;

async function views(): Promise<string> {
  const resolveDir = fileURLToPath(new URL('../../../webview/shared', import.meta.url));
  const { outputFiles } = await build({
    ...{ stdin: { contents, resolveDir, loader: 'ts' }, bundle: true, write: false },
    ...{ format: 'iife', globalName: 'views' },
  });
  return `${outputFiles[0]!.text}; window.views = views;`;
}

/** @param theme of the editor. The page has an element #root, and `views` with the exports above. */
export async function openViews(browser: Browser, theme: ThemeName = 'dark'): Promise<Page> {
  bundle ??= views();
  const shared = new URL('../../../webview/shared/', import.meta.url);
  const sheets = ['theme.css', 'heatmaps/heatmaps.css'].map((name) => readFile(new URL(name, shared), 'utf8'));
  const [styles, code] = await Promise.all([Promise.all(sheets), bundle]);
  const { kind, variables } = themes[theme];
  const colours = Object.entries(variables).map(([key, value]) => `--vscode-${key}: ${value};`);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  page.setDefaultTimeout(120_000); // machines that test may be busy
  await page.setContent(
    `<html style="${colours.join(' ').replaceAll('"', "'")}"><body class="${kind}"><style>${styles.join('\n')}</style><div id="root"></div></body></html>`,
  );
  await page.evaluate(code);
  return page;
}
