/** The backend as the editor starts it: a model from a hub becomes the base of an imported UNet, which makes an image. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  downloadModel,
  generateImages,
  importUNet,
  listModels,
  planDownload,
} from '../../backend/protocol/rpc/index.ts';
import { fakeHub } from '../unit/hub/fake-hub.ts';
import { filesOf, serveHub } from '../unit/hub/served-hub.ts';
import { startBackend } from '../unit/server/connect.ts';

const repository = 'some-lab/tiny-diffusion';
const folder = mkdtempSync(join(tmpdir(), 'dmd-models-'));
const files = filesOf(fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url)));
const served = await serveHub(fakeHub(repository, files));
process.env.HF_ENDPOINT = served.endpoint;
process.env.HF_HUB_CACHE = join(folder, 'hub');
const { client, child, exited } = await startBackend();
after(async () => {
  child.disconnect();
  await exited;
  await served.close();
  rmSync(folder, { recursive: true });
});

test('downloaded, imported, generated', async () => {
  const [offer] = await client.request(planDownload, { repository });
  assert.equal(offer?.files, files.size);
  const base = await client.request(downloadModel, { id: 'd', repository, variant: '' });
  const file = join(base.folder, 'unet', 'diffusion_pytorch_model.safetensors');
  const out = join(folder, 'student');
  const made = await client.request(importUNet, { id: 'i', base: base.folder, file, out });
  const listed = await client.request(listModels, { roots: [], files: [base.folder, made.folder] });
  const titles = listed.filter(({ origin }) => origin === 'imported').map(({ title, role }) => [title, role]);
  assert.deepEqual(titles, [
    [repository, 'teacher'],
    ['student', 'generator'],
  ]);
  const settings = { model: out, seeds: [1], classes: null, prompt: 'a red circle', steps: 1, device: 'cpu' };
  const { images } = await client.request(generateImages, { id: 'g', settings, metadata: true });
  assert.equal(images.length, 1);
});
