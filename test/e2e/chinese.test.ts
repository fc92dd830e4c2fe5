/** Every panel in Simplified Chinese on a small screen: in the person's language as far as our texts go, and nothing cut. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordRun } from '../webview/monitor/run.ts';
import { cutTexts } from './driver/cut-texts.ts';
import { editorTest } from './driver/editor-test.ts';

const results = fileURLToPath(new URL('../../test-results/pictures', import.meta.url));
const files = { 'mine.dmd.json': '{\n  "kind": "distill",\n  "iterations": 1000\n}\n' };

editorTest('the panels in Chinese', { newestOnly: true, locale: 'zh-cn', files }, async (context) => {
  const { editor, server, workbench } = context;
  const { page } = workbench;
  const folder = join(results, editor.vscode);
  mkdirSync(folder, { recursive: true });
  await page.setViewportSize({ width: 1000, height: 700 });
  const picture = (name: string) => workbench.picture(join(folder, `${name}-zh-cn.png`));
  const shown = workbench.webview();
  const panel = async (name: string) => {
    await picture(name);
    assert.deepEqual(await cutTexts(shown), [], `${name} cuts`);
  };

  await workbench.activityIcon.click();
  const runs = workbench.view('运行');
  await runs.getByRole('button', { name: '开始内置运行' }).waitFor();
  await workbench.row('模型', 'Scenes').first().waitFor();
  await runs.getByRole('button', { name: '打开演练', exact: true }).click();
  await page.getByText('一次调用生成图像').first().waitFor();
  await picture('walkthrough');

  await workbench.run('DMD: 打开生成面板');
  await shown.getByRole('checkbox', { name: '并列比较' }).click();
  await shown.getByRole('button', { name: '生成', exact: true }).click();
  await shown.locator('.side .picture img').nth(7).waitFor({ timeout: 180_000 });
  await panel('generate');

  const run = await recordRun('first-run');
  cpSync(run.folder, join(server.workspace, 'runs', 'first-run'), { recursive: true });
  await workbench.row('运行', 'first-run').click();
  await shown.locator('.field-grid').first().waitFor();
  await panel('monitor');

  await workbench.chooseFromMenu(workbench.row('运行', 'first-run'), '检查得分');
  await shown.locator('main[data-step][aria-busy="false"]').waitFor({ timeout: 240_000 });
  await panel('inspector');

  await workbench.run('DMD: 打开演练场');
  await shown
    .getByRole('button', { name: /真实减伪/ })
    .first()
    .waitFor();
  await panel('playground');

  await workbench.run('View: Close All Editors');
  await workbench.run('DMD: 打开得分监视');
  await shown.getByText('表达式', { exact: true }).waitFor();
  await panel('score-watch');

  // The help of a config: the editor reads it from the schema that the manifest names in this language.
  await page.keyboard.press('Control+P');
  await workbench.quickInput.fill('mine.dmd.json');
  await workbench.pick('mine.dmd.json');
  await page.locator('.codelens-decoration a', { hasText: '开始运行' }).waitFor();
  await page.locator('.view-line', { hasText: '"iterations"' }).getByText('"iterations"').click();
  await page.keyboard.press('Control+K');
  await page.keyboard.press('Control+I');
  await page.locator('.monaco-hover:visible', { hasText: '生成器的更新次数' }).waitFor();
  await picture('config');
});
