/** `hub/...`: a model comes from a hub on this machine into a cache, with progress, twice, stopped, and not at all. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../backend/protocol/errors.ts';
import { describeModel, downloadModel, hubPlace, listModels, planDownload } from '../../backend/protocol/rpc/index.ts';
import { registerModels } from '../../backend/server/models/index.ts';
import { fakeHub } from './hub/fake-hub.ts';
import { filesOf, serveHub } from './hub/served-hub.ts';
import { FakeServer } from './server/fake-server.ts';

const repository = 'some-lab/tiny-diffusion';
const folder = mkdtempSync(join(tmpdir(), 'dmd-server-hub-'));
const files = filesOf(fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url)));
const unet = 'unet/diffusion_pytorch_model.safetensors';
const bytes = [...files.values()].reduce((sum, { content }) => sum + content.length, 0);

const served = await serveHub(fakeHub(repository, files));
let server: FakeServer;
let count = 0;
beforeEach(() => {
  served.hub = fakeHub(repository, files);
  served.before = () => {};
  process.env.HF_ENDPOINT = `${served.endpoint}/`;
  process.env.HF_HUB_CACHE = join(folder, `cache${count++}`);
  delete process.env.HF_TOKEN;
  server = new FakeServer();
  registerModels(server);
});
after(async () => {
  await served.close();
  rmSync(folder, { recursive: true, force: true });
});

const download = (signal?: AbortSignal) => server.ask(downloadModel, { id: 'd', repository, variant: '' }, signal);
const fetched = () => served.hub.asked.filter((path) => path.includes('/resolve/'));
const refused = (kind: string, words: RegExp) => (error: unknown) =>
  error instanceof UserError && error.kind === kind && words.test(`${error.message}. ${error.hint}`);

test('where the hub and its cache are is known without asking it', async () => {
  const place = await server.ask(hubPlace, {});
  assert.deepEqual([place.host, place.cache, place.login], [served.host, process.env.HF_HUB_CACHE, false]);
  assert.ok(place.free === null || place.free > 0);
  process.env.HF_TOKEN = 'hf_test';
  assert.equal((await server.ask(hubPlace, {})).login, true);
  delete process.env.HF_ENDPOINT;
  assert.equal((await server.ask(hubPlace, {})).host, 'huggingface.co');
  process.env.HF_ENDPOINT = 'file:///etc';
  await assert.rejects(server.ask(hubPlace, {}), refused('usage', /HF_ENDPOINT is no web address: "file:/));
  assert.deepEqual(served.hub.asked, []);
});

test('a plan says how large a model is and fetches its index alone', async () => {
  const index = files.get('model_index.json')!.content.length;
  assert.deepEqual(await server.ask(planDownload, { repository }), [
    { variant: '', files: files.size, bytes, here: index },
  ]);
  assert.ok(fetched().every((path) => path.includes('/model_index.json')));
});

test('what was fetched is listed under its own name and can be used; the second time nothing is fetched', async () => {
  const done = await download();
  assert.equal(done.bytes, bytes);
  const said = server.said.map(({ params }) => params as { id: string; label: string; done: number; total: number });
  assert.ok(said.every(({ id, total }) => id === 'd' && total === bytes));
  assert.equal(said.at(-1)?.done, bytes);
  const info = await server.ask(describeModel, { model: done.folder });
  assert.deepEqual([info.title, info.problem, info.prompt, info.role], [repository, '', true, 'teacher']);
  const listed = await server.ask(listModels, { roots: [], files: [done.folder] });
  assert.ok(listed.some(({ model }) => model === done.folder));
  served.hub.asked.length = 0;
  assert.deepEqual(await download(), done);
  assert.deepEqual(fetched(), []);
  const [offer] = await server.ask(planDownload, { repository });
  assert.equal(offer?.here, bytes);
});

test('a stopped download ends at once although the hub is silent, and goes on where it was', async () => {
  const stop = new AbortController();
  const silent = new Promise<void>((resolve) => {
    served.before = async (path) => {
      if (!path.includes(unet)) return;
      resolve();
      await new Promise(() => {});
    };
  });
  const stopped = download(stop.signal);
  await silent;
  await assert.rejects(download(), refused('usage', /is being downloaded already/));
  stop.abort();
  const again = download(); // waits until the first has let go
  await assert.rejects(stopped, (error) => error instanceof UserError && error.kind === 'cancelled');
  served.before = () => {};
  const before = new Set(fetched());
  served.hub.asked.length = 0;
  await again;
  const anew = fetched().filter((path) => before.has(path) && !path.includes(unet));
  assert.deepEqual(anew, [], 'what was there is not fetched again');
  assert.ok(fetched().some((path) => path.includes(unet)));
});

test('offline, unknown names and models of another kind are said in words', async () => {
  const ask = (name = repository) => server.ask(planDownload, { repository: name });
  await assert.rejects(ask('some-lab/other'), refused('io', /the hub has no model some-lab\/other/));
  await assert.rejects(ask('../evil'), /ORGANISATION\/NAME/);
  const index = { _class_name: 'StableDiffusionXLPipeline', unet: ['diffusers', 'UNet2DConditionModel'] };
  const xl = JSON.stringify({ ...index, text_encoder_2: ['transformers', 'CLIPTextModelWithProjection'] });
  served.hub = fakeHub(repository, new Map([...files, ['model_index.json', { content: Buffer.from(xl) }]]));
  await assert.rejects(ask(), refused('weights', /^some-lab\/tiny-diffusion is a StableDiffusionXLPipeline/));
  served.hub.offline = true;
  await assert.rejects(ask(), refused('io', /hub cannot be reached.*on this machine work without it/));
  await assert.rejects(download(), refused('io', /hub cannot be reached/));
  assert.equal(existsSync(join(process.env.HF_HUB_CACHE!, 'models--some-lab--tiny-diffusion', 'refs')), false);
});
