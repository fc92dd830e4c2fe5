/** `models/importUNet`: a bare UNet beside its base becomes a model; a refused or stopped import leaves nothing behind. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../backend/protocol/errors.ts';
import { describeModel, importUNet } from '../../backend/protocol/rpc/index.ts';
import { registerModels } from '../../backend/server/models/index.ts';
import { FakeServer } from './server/fake-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-server-import-'));
const base = join(folder, 'base');
cpSync(fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url)), base, { recursive: true });
const file = join(folder, 'pytorch_model.bin');
writeFileSync(file, readFileSync(join(base, 'unet', 'diffusion_pytorch_model.safetensors')));
const server = new FakeServer();
registerModels(server);
after(async () => {
  await server.end();
  rmSync(folder, { recursive: true });
});

let parent = '';
let count = 0;
beforeEach(() => {
  parent = join(folder, `new${count++}`);
  server.said.length = 0;
  server.onSaid = () => {};
});

type Wanted = ReturnType<typeof importUNet.params.parse>;
const ask = (changes: Partial<Wanted> = {}, signal?: AbortSignal) =>
  server.ask(importUNet, { id: 'i', ...{ base, file, out: join(parent, 'student') }, ...changes }, signal);
const refused = (kind: string, words: RegExp) => (error: unknown) =>
  error instanceof UserError && error.kind === kind && words.test(error.message);

test('the new folder is a one-step generator that has the rest from its base', async () => {
  const { folder: made, parameters } = await ask();
  assert.equal(made, join(parent, 'student'));
  assert.ok(parameters > 100_000);
  assert.deepEqual(
    server.said.map(({ params }) => params),
    [
      { id: 'i', label: 'reading', done: 0, total: 2 },
      { id: 'i', label: 'writing', done: 1, total: 2 },
    ],
  );
  assert.deepEqual(readdirSync(parent), ['student']);
  const info = await server.ask(describeModel, { model: made });
  assert.deepEqual([info.problem, info.role, info.steps, info.teacher], ['', 'generator', 1, base]);
  await assert.rejects(ask(), refused('io', /is not empty/));
  await assert.rejects(ask({ base: made, out: join(parent, 'other') }), refused('weights', /is no whole model itself/));
});

test('an empty folder that is there already is filled', async () => {
  mkdirSync(join(parent, 'student'), { recursive: true });
  await ask();
  assert.deepEqual(readdirSync(join(parent, 'student')), ['dmd.json', 'unet']);
});

test('what cannot be imported is refused in words, and nothing is left of it', async () => {
  await assert.rejects(ask({ file: join(base, 'model_index.json') }), refused('weights', /model_index\.json/));
  await assert.rejects(ask({ file: join(folder, 'nothing.bin') }), refused('weights', /nothing\.bin/));
  await assert.rejects(ask({ base: folder }), refused('weights', /is not a model folder/));
  await assert.rejects(ask({ file: 'pytorch_model.bin' }), refused('usage', /is no absolute path/));
  const vae = join(base, 'vae', 'diffusion_pytorch_model.safetensors');
  await assert.rejects(ask({ file: vae }), refused('weights', /missing/));
  assert.deepEqual(
    readdirSync(folder).filter((name) => /^new|tmp$/.test(name) && name !== 'new0' && name !== 'new1'),
    [],
  );
});

test('stopped before it writes, it leaves nothing behind', async () => {
  const stop = new AbortController();
  server.onSaid = () => stop.abort();
  await assert.rejects(ask({}, stop.signal), refused('cancelled', /was stopped/));
  assert.equal(existsSync(parent), false);
});

test('stopped while it writes, the folder is there whole or not at all', async () => {
  mkdirSync(parent);
  const stop = new AbortController();
  const watcher = watch(parent, () => stop.abort());
  // Over before the watcher saw it, on a quick machine.
  await ask({}, stop.signal).catch((error) => assert.ok(refused('cancelled', /was stopped/)(error)));
  watcher.close();
  const left = readdirSync(parent);
  if (left.length > 0) assert.deepEqual(left, ['student']);
  if (left.length > 0) assert.equal((await server.ask(describeModel, { model: join(parent, 'student') })).problem, '');
});

test('a timestep and a prediction of its own are kept; a timestep past the schedule is refused', async () => {
  const { folder: made } = await ask({ timestep: 399, prediction: 'sample' });
  const { timestep, prediction } = JSON.parse(readFileSync(join(made, 'dmd.json'), 'utf8'));
  assert.deepEqual([timestep, prediction], [399, 'sample']);
  const late = ask({ timestep: 1001, out: join(parent, 'late') });
  await assert.rejects(late, refused('usage', /timestep 1001: the schedule of .* ends at 1000/));
  assert.deepEqual(readdirSync(parent), ['student']);
});
