/** A tiny random pipeline that diffusers wrote: imported, distilled for a few iterations, drawn with and exported in the editor. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { editorTest } from './driver/editor-test.ts';
import { assertSamePixels, pixelsOf } from './driver/pixels.ts';
import { theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';

const command = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const tiny = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const prompt = 'a red circle';
const config = {
  ...{ kind: 'distill', name: 'tiny', teacher: 'pipeline', iterations: 3, batch: 2, device: 'cpu' },
  text: { prompts: 'prompts.txt', guidance: 2 },
  regression: { pairs: { count: 2, steps: 2 } },
};
const files = { 'tiny.dmd.json': JSON.stringify(config, null, 2), 'prompts.txt': `${prompt}\na blue square\n` };

editorTest(
  'a pipeline is imported, distilled, drawn with and exported',
  { files, newestOnly: true },
  async ({ server, workbench }) => {
    const { page } = workbench;
    const pipeline = join(server.workspace, 'pipeline');
    cpSync(tiny, pipeline, { recursive: true });
    await workbench.run('DMD: Import Model...');
    await workbench.pick('A Folder');
    await workbench.answerFolder(pipeline, 'Import');
    await workbench.row('Models', 'pipeline').waitFor();

    await page.keyboard.press('Control+P');
    await workbench.quickInput.fill('tiny.dmd.json');
    await workbench.paletteRow('tiny.dmd.json').click();
    await page.locator('.codelens-decoration a', { hasText: 'Start Run' }).click();
    const run = await theRun(join(server.workspace, 'runs'));
    await untilRun(run, 'over', ({ state }) => ['finished', 'failed'].includes(state));
    const { state, info } = readRun(run);
    assert.equal(state, 'finished', info?.error?.message);

    const student = join(run, 'generator');
    const row = workbench.row('Models', /tiny.*generator/);
    await row.hover();
    await row.getByRole('button', { name: 'Generate with This Model' }).click();
    const panel = workbench.webview();
    const model = panel.locator('select#model');
    await until('the model to be chosen', async () => (await model.inputValue()) === student);
    await panel.locator('#prompt textarea').fill(prompt);
    await panel.getByRole('button', { name: 'Generate', exact: true }).click();
    const picture = panel.getByRole('button', { name: new RegExp(`^${prompt}, seed \\d+$`) }).first();
    await picture.waitFor();
    const pixels = await picture.locator('img').evaluate(pixelsOf);
    const seed = (await picture.getAttribute('aria-label'))!.match(/seed (\d+)$/)![1]!;

    const exported = join(server.workspace, 'exported');
    await workbench.chooseFromMenu(row, 'Export Model to ONNX');
    await workbench.answerFile(exported);
    await workbench.notification('Exported exported').waitFor();
    assert.ok(existsSync(join(exported, 'unet', 'model.onnx')));

    for (const model of [student, exported]) {
      const made = join(server.workspace, `made-with-${model === student ? 'student' : 'export'}`);
      const args = ['sample', model, '--prompt', prompt, '--seeds', seed, '--device', 'cpu', '--out', made];
      const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assertSamePixels(
        pixels,
        join(made, readdirSync(made).find((name) => name !== 'grid.png' && name.endsWith('.png'))!),
      );
    }
    await until('the export to be listed', async () => (await workbench.row('Models', 'exported').count()) > 0);
  },
);
