/** An image from a prompt, offline, in a fresh installation: type, Enter, image; and the image that follows the typing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { editorTest } from './driver/editor-test.ts';
import { assertSamePixels, pixelsOf } from './driver/pixels.ts';
import { until } from './driver/until.ts';
import type { Workbench } from './driver/workbench.ts';

const command = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const model = 'builtin:scenes-text';
const prompt = 'a red circle on a blue ground';

/** Milliseconds from Enter in the palette to the picture on the screen. */
async function timeTo(words: string, workbench: Workbench): Promise<number> {
  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.quickInput.fill(words);
  const picture = workbench.webview().getByRole('button', { name: new RegExp(`^${words}, seed \\d+$`) });
  const start = performance.now();
  await workbench.page.keyboard.press('Enter');
  await picture.locator('img').evaluate(pixelsOf);
  return performance.now() - start;
}

editorTest(
  'a prompt in the palette becomes an image, and is remembered',
  {},
  async ({ server, workbench }, context) => {
    await workbench.run('DMD: Generate Image from Prompt');
    await workbench.paletteRow('a green star').waitFor(); // an example, since nothing was asked yet
    const title = workbench.page.locator('.quick-input-widget:visible .quick-input-title');
    await title.filter({ hasText: 'Scenes from a prompt, one-step generator · 1 step · a new seed' }).waitFor();
    await workbench.answer(prompt);
    const panel = workbench.webview();
    const picture = panel.getByRole('button', { name: new RegExp(`^${prompt}, seed \\d+$`) });
    await picture.waitFor({ timeout: 180_000 });
    const pixels = await picture.locator('img').evaluate(pixelsOf);
    assert.equal(await panel.locator('select#model').inputValue(), model);

    const seed = (await picture.getAttribute('aria-label'))!.match(/seed (\d+)$/)![1]!;
    const made = join(server.workspace, 'made');
    const args = ['sample', model, '--prompt', prompt, '--seeds', seed, '--device', 'cpu', '--out', made];
    const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const [file] = readdirSync(made).filter((name) => name.endsWith('.png') && name !== 'grid.png');
    assertSamePixels(pixels, join(made, file!));

    const times: number[] = [];
    for (const words of ['a green star', 'two white hearts', 'a small yellow ring on black']) {
      times.push(await timeTo(words, workbench));
    }
    context.diagnostic(`Enter to picture, warm: ${times.map((time) => time.toFixed(0)).join(', ')} ms`);

    await panel.getByRole('checkbox', { name: /^Live/ }).click();
    const live = panel.getByRole('region', { name: 'Live' });
    await panel.locator('#prompt textarea').fill('a green dragon');
    await live.getByRole('img', { name: 'a green dragon' }).waitFor();
    await live.getByText(/This model does not know: .*dragon/).waitFor();
    assert.equal(await picture.isVisible(), false, 'one picture and not two');
    const seen = await live.getByRole('img', { name: 'a green dragon' }).evaluate(pixelsOf);
    const [, drawn] = (await live.locator('header').textContent())!.match(/seed (\d+)/)!;
    await panel.getByRole('button', { name: 'Generate', exact: true }).click();
    const kept = panel.getByRole('button', { name: `a green dragon, seed ${drawn}` });
    await kept.waitFor();
    assert.deepEqual(await kept.locator('img').evaluate(pixelsOf), seen, 'what was seen is what is kept');

    await workbench.run('DMD: Generate Image from Prompt');
    await workbench.quickInput.fill('');
    await workbench.pick(prompt);
    await picture.waitFor();
    const field = panel.locator('#prompt textarea');
    await until('the prompt to be back', async () => (await field.inputValue()) === prompt);
  },
);
