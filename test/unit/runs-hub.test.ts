/** Downloads through the hub's own package from a hub in memory: what is fetched, where it lies, and every way to fail. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { cachedSnapshot, hubCache, isRepositoryName, snapshotRepository } from '../../backend/models/hub/cache.ts';
import { openHub } from '../../backend/models/hub/client.ts';
import { type DownloadRequest, downloadModel } from '../../backend/models/hub/download.ts';
import { hubEndpoint } from '../../backend/models/hub/endpoint.ts';
import { planDownload } from '../../backend/models/hub/plan-download.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { componentOf, modelFile, openDiffusersFolder, weightFilesOf } from '../../backend/weights/diffusers/index.ts';
import { commit, type FakeFile, type FakeHub, fakeHub, gitHash, hashOf } from './hub/fake-hub.ts';
import { scratchFolder } from './weights/files.ts';

const repository = 'some-lab/tiny.diffusion-v1';
const small = (text: string): FakeFile => ({ content: Buffer.from(text) });
const large = (seed: number, length = 300_000): FakeFile => ({
  content: Buffer.from(Uint8Array.from({ length }, (_, i) => (i * seed) % 251)),
  large: true,
});

const index = {
  _class_name: 'StableDiffusionPipeline',
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  scheduler: ['diffusers', 'DDIMScheduler'],
  safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'],
};

const files = new Map<string, FakeFile>([
  ['README.md', small('# tiny')],
  ['model_index.json', small(JSON.stringify(index))],
  ['v1-5-pruned.ckpt', large(3)],
  ['safety_checker/model.safetensors', large(5)],
  ['scheduler/scheduler_config.json', small('{"_class_name": "DDIMScheduler"}')],
  ['text_encoder/config.json', small('{}')],
  ['text_encoder/model.fp16.safetensors', large(7)],
  ['text_encoder/model.safetensors', large(11)],
  ['text_encoder/pytorch_model.bin', large(13)],
  ['tokenizer/merges.txt', small('#version: 0.2')],
  ['tokenizer/vocab.json', small('{}')],
  ['unet/config.json', small('{ }')],
  ['unet/diffusion_pytorch_model-00001-of-00002.safetensors', large(17)],
  ['unet/diffusion_pytorch_model-00002-of-00002.safetensors', large(19, 1_500_000)],
  [
    'unet/diffusion_pytorch_model.safetensors.index.json',
    small(
      JSON.stringify({
        weight_map: {
          a: 'diffusion_pytorch_model-00001-of-00002.safetensors',
          b: 'diffusion_pytorch_model-00002-of-00002.safetensors',
        },
      }),
    ),
  ],
  ['unet/diffusion_pytorch_model.fp16.safetensors', large(23)],
  ['vae/config.json', small('{  }')],
  ['vae/diffusion_pytorch_model.bin', large(29)],
]);

const wanted = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'text_encoder/model.safetensors',
  'tokenizer/merges.txt',
  'tokenizer/vocab.json',
  'unet/config.json',
  'unet/diffusion_pytorch_model-00001-of-00002.safetensors',
  'unet/diffusion_pytorch_model-00002-of-00002.safetensors',
  'unet/diffusion_pytorch_model.safetensors.index.json',
  'vae/config.json',
  'vae/diffusion_pytorch_model.bin',
];
const secondShard = 'unet/diffusion_pytorch_model-00002-of-00002.safetensors';

const scratch = scratchFolder();
let cache = '';
let hub: FakeHub;
let count = 0;
beforeEach(() => {
  cache = scratch.path(`cache${count++}`);
  hub = fakeHub(repository, files);
});

const download = async (options: Partial<DownloadRequest> & { token?: string } = {}) =>
  downloadModel({ repository, cache, client: await openHub({ fetch: hub.fetch, token: options.token }), ...options });

const blobs = () => readdirSync(join(cache, 'models--some-lab--tiny.diffusion-v1', 'blobs')).sort();

function failure(kind: string, pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof UserError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, pattern);
    if (kind !== 'cancelled') assert.notEqual(error.hint, '');
    return true;
  };
}

test('a model is fetched whole and once, into the layout that Python shares', async () => {
  const seen: number[] = [];
  const downloaded = await download({ onProgress: (done, total) => seen.push(done / total) });
  assert.deepEqual([...downloaded.files].sort(), wanted);
  assert.equal(downloaded.folder, join(cache, 'models--some-lab--tiny.diffusion-v1', 'snapshots', commit));
  assert.equal(cachedSnapshot(repository, 'main', cache), downloaded.folder);
  for (const name of wanted) {
    const { content, large: isLarge } = files.get(name)!;
    const file = join(downloaded.folder, name);
    assert.ok(lstatSync(file).isSymbolicLink(), name);
    const hash = isLarge ? hashOf('sha256', content) : gitHash(content);
    assert.match(readlinkSync(file), new RegExp(`^(../)+blobs/${hash}$`));
    assert.deepEqual(readFileSync(file), content);
  }
  assert.equal(seen.at(-1), 1);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  const model = openDiffusersFolder(downloaded.folder);
  assert.equal(weightFilesOf(componentOf(model, 'unet')).files.length, 2);
  assert.match(modelFile(downloaded.folder, 'unet/config.json')!, /blobs/);

  hub.asked.length = 0;
  await download();
  assert.equal(hub.asked.filter((path) => path.includes('/resolve/')).length, 0, 'nothing is fetched again');
});

test('a variant, and single files', async () => {
  const mixed = download({ variant: 'fp16' });
  await assert.rejects(mixed, failure('io', /vae has no weights of the variant fp16/));
  const one = await download({ files: ['v1-5-pruned.ckpt'] });
  assert.deepEqual(one.files, ['v1-5-pruned.ckpt']);
  await assert.rejects(download({ files: ['nothing.bin'] }), failure('io', /has no file nothing.bin/));
});

test('a plan counts what would be fetched, half precision where every network has it, and what is there', async () => {
  const plan = async () => planDownload({ repository, cache, client: await openHub({ fetch: hub.fetch }) });
  const size = (names: readonly string[]) => names.reduce((sum, name) => sum + files.get(name)!.content.length, 0);
  const index = size(['model_index.json']);
  const full = { variant: '', files: wanted.length, bytes: size(wanted), here: index };
  assert.deepEqual(await plan(), { commit, offers: [full] });

  const half = new Map([...files, ['vae/diffusion_pytorch_model.fp16.bin', large(31, 1000)]]);
  hub = fakeHub(repository, half);
  const { offers } = await plan();
  const downloaded = await download({ variant: 'fp16' });
  assert.deepEqual(offers[0], full);
  assert.deepEqual(offers[1], {
    ...{ variant: 'fp16', files: downloaded.files.length, bytes: downloaded.bytes, here: index },
  });
  assert.ok(downloaded.bytes < size(wanted));
  const after = (await plan()).offers;
  assert.equal(after[1]?.here, downloaded.bytes);
  assert.ok(after[0]!.here > index && after[0]!.here < after[0]!.bytes, 'what both have');

  hub.breakAfter = 1_000_000;
  await assert.rejects(download(), failure('io', /cannot be reached/));
  assert.ok((await plan()).offers[0]!.here >= 1_000_000, 'the part that came counts');
});

test('a model of another kind is refused before it is fetched', async () => {
  const other = {
    ...index,
    _class_name: 'StableDiffusion3Pipeline',
    transformer: ['diffusers', 'SD3Transformer2DModel'],
  };
  hub = fakeHub(repository, new Map([...files, ['model_index.json', small(JSON.stringify(other))]]));
  await assert.rejects(download(), failure('weights', /^some-lab\/tiny.* is a StableDiffusion3Pipeline/));
  assert.ok(hub.asked.every((path) => !path.includes('/resolve/') || path.includes('/model_index.json')));
});

test('a download that breaks off goes on where it was', async () => {
  hub.breakAfter = 1_000_000;
  await assert.rejects(download(), failure('io', /cannot be reached/));
  assert.equal(blobs().filter((name) => name.endsWith('.incomplete')).length, 1);
  hub.asked.length = 0;
  await download();
  const ranges = hub.asked.filter((path) => path.includes(secondShard)).map((path) => path.split(' ')[1]);
  assert.deepEqual(ranges.at(-1), 'bytes=1000000-1499999');
  assert.equal(blobs().filter((name) => name.endsWith('.incomplete')).length, 0);
});

test('what does not hash to its name is thrown away, and only that is fetched anew', async () => {
  const { content } = files.get(secondShard)!;
  const forged = Buffer.from(content);
  forged[700_000]! ^= 1;
  hub.forged.set(secondShard, forged);
  await assert.rejects(download(), failure('data', /00002-of-00002.safetensors arrived damaged: its hash is/));
  assert.equal(blobs().includes(hashOf('sha256', content)), false);
  assert.equal(blobs().filter((name) => name.endsWith('.incomplete')).length, 0);
  hub.forged.clear();
  hub.asked.length = 0;
  await download();
  assert.equal(
    hub.asked.some((path) => path.includes('00001-of-00002')),
    false,
  );
  const config = files.get('vae/config.json')!.content;
  hub.forged.set('vae/config.json', Buffer.from('{!!}'));
  cache = scratch.path('forged-small');
  await assert.rejects(download(), failure('data', /vae\/config.json arrived damaged/));
  assert.equal(config.length, 4);
});

test('offline, unknown, not allowed: each is said in words', async () => {
  await download();
  hub.offline = true;
  await assert.rejects(download(), failure('io', /cannot be reached \(ENOTFOUND\)/));
  assert.ok(existsSync(cachedSnapshot(repository, 'main', cache)!), 'what was there is still found');
  hub.offline = false;
  for (const [status, pattern] of [
    [404, /has no model some-lab\/tiny/],
    [401, /does not give .* to everybody \(401\)/],
    [403, /does not give .* to everybody \(403\)/],
    [503, /answered 503/],
  ] as const) {
    hub.status = status;
    await assert.rejects(download(), failure('io', pattern));
  }
  await assert.rejects(download({ repository: '../evil' }), failure('usage', /is no name of a model/));
});

test('a login is sent where there is one', async () => {
  await download({ token: 'hf_test' });
  assert.deepEqual(new Set(hub.tokens), new Set(['Bearer hf_test']));
});

test('a download can be stopped', async () => {
  const controller = new AbortController();
  const onProgress = (done: number) => done > 0 && controller.abort();
  await assert.rejects(download({ signal: controller.signal, onProgress }), failure('cancelled', /was stopped/));
});

test('names that would leave the cache are refused before anything is written', async () => {
  for (const evil of ['../../evil.json', '/etc/evil.json', 'unet/../../evil', 'a\\..\\evil', 'C:/evil']) {
    hub = fakeHub(repository, new Map([...files, [evil, small('x')]]));
    await assert.rejects(download(), failure('io', /lists an impossible file/));
  }
  assert.equal(existsSync(cache), false);
});

test('a repository that is no model says what it has', async () => {
  hub = fakeHub(repository, new Map([['pytorch_model.bin', large(3)]]));
  await assert.rejects(download(), failure('io', /is not a text-to-image model: it has no model_index.json/));
});

test('where the cache is, and what may be the name of a model', () => {
  assert.equal(hubCache({ HF_HUB_CACHE: '/a', HF_HOME: '/b' }), '/a');
  assert.equal(hubCache({ HF_HOME: '/b' }), join('/b', 'hub'));
  assert.equal(hubCache({ XDG_CACHE_HOME: '/c' }), join('/c', 'huggingface', 'hub'));
  for (const good of ['a/b', 'runwayml/stable-diffusion-v1-5', 'A_1/x.y-z']) assert.ok(isRepositoryName(good), good);
  for (const bad of ['a', 'a/b/c', '../a', 'a/..', './a', 'a/b c', '/a/b', 'a//b']) {
    assert.equal(isRepositoryName(bad), false, bad);
  }
});

test('a mirror is taken from the environment, and a snapshot knows whose it is', () => {
  assert.equal(hubEndpoint({}), 'https://huggingface.co');
  assert.equal(hubEndpoint({ HF_ENDPOINT: 'https://mirror.example/hf//' }), 'https://mirror.example/hf');
  for (const bad of ['mirror', 'file:///etc', 'javascript:x']) {
    assert.throws(() => hubEndpoint({ HF_ENDPOINT: bad }), failure('usage', /is no web address/));
  }
  const snapshot = (name: string, id = commit) => join('/c', name, 'snapshots', id);
  assert.equal(snapshotRepository(snapshot('models--some-lab--tiny--x')), 'some-lab/tiny--x');
  for (const other of [snapshot('models--gpt2'), snapshot('models--a--b', 'main'), '/c/models--a--b', '/a/model']) {
    assert.equal(snapshotRepository(other), undefined);
  }
});

test('a reference that is damaged names no snapshot', () => {
  const refs = join(cache, 'models--a--b', 'refs');
  mkdirSync(refs, { recursive: true });
  writeFileSync(join(refs, 'main'), '../../../etc');
  assert.equal(cachedSnapshot('a/b', 'main', cache), undefined);
});
