/** An image from a prompt, offline: type, Enter, image; and the image that follows the typing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordRun } from '../webview/monitor/run.ts';
import { editorTest } from './driver/editor-test.ts';
import { assertSamePixels, pixelsOf } from './driver/pixels.ts';

const command = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
/** A tiny random pipeline that diffusers wrote. */
const tiny = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const prompt = 'a red circle on a blue ground';

/** What a run on that pipeline leaves: a teacher, and a student that differs in the UNet. */
async function placeModels(workspace: string): Promise<string> {
  const run = join(workspace, 'runs', 'words');
  cpSync((await recordRun('words')).folder, run, { recursive: true });
  cpSync(tiny, join(run, 'teacher'), { recursive: true });
  const student = join(run, 'generator');
  mkdirSync(student);
  cpSync(join(tiny, 'unet'), join(student, 'unet'), { recursive: true });
  writeFileSync(join(student, 'dmd.json'), JSON.stringify({ base: '../teacher', role: 'generator' }));
  return student;
}

editorTest('a prompt in the palette becomes an image, and is remembered', {}, async ({ server, workbench }) => {
  const student = await placeModels(server.workspace);
  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.answer(prompt);
  const panel = workbench.webview();
  const picture = panel.getByRole('button', { name: new RegExp(`^${prompt}, seed \\d+$`) });
  await picture.waitFor({ timeout: 180_000 });
  const pixels = await picture.locator('img').evaluate(pixelsOf);
  assert.equal(await panel.locator('select#model').inputValue(), student);

  const seed = (await picture.getAttribute('aria-label'))!.match(/seed (\d+)$/)![1]!;
  const made = join(server.workspace, 'made');
  const args = ['sample', student, '--prompt', prompt, '--seeds', seed, '--device', 'cpu', '--out', made];
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [file] = readdirSync(made).filter((name) => name.endsWith('.png') && name !== 'grid.png');
  assertSamePixels(pixels, join(made, file!));

  await panel.getByRole('checkbox', { name: /^Live/ }).click();
  const live = panel.getByRole('region', { name: 'Live' });
  await panel.locator('#prompt textarea').fill('a green dragon');
  await live.getByRole('img', { name: 'a green dragon' }).waitFor();
  await live.getByText(/This model does not know: .*dragon/).waitFor();

  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.quickInput.fill('');
  await workbench.pick(prompt);
  await panel.getByRole('img', { name: prompt }).waitFor();
  assert.equal(await panel.locator('#prompt textarea').inputValue(), prompt);
});
