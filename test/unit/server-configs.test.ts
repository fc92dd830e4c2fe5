/** Configs checked as a run would, each problem where it is; and typing stays fast. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { writePairs } from '../../backend/data/pairs.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { type Config, configProblems } from '../../backend/protocol/config/index.ts';
import { type ConfigProblem, checkConfig, listPresets } from '../../backend/protocol/rpc/index.ts';
import { presetText } from '../../backend/runs/presets.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { registerConfigs } from '../../backend/server/configs/index.ts';
import { playBoth } from './server/connect.ts';
import { scratchFolder } from './server/run-folders.ts';
import { labelDim, tinyNetwork, tinyTeacher } from './training/tiny.ts';

const root = scratchFolder();
const file = path.join(root, 'my.dmd.json');
let teacher: string;

teacher = await tinyTeacher(root);
after(() => fs.rmSync(root, { recursive: true, force: true }));

const checker = () => new ConfigChecker((config) => findingsOf(config));

/** Problems with the text they point at. */
async function check(config: object | string, from = checker()): Promise<(ConfigProblem & { at: string })[]> {
  const text = typeof config === 'string' ? config : JSON.stringify(config, null, 2);
  const problems = await from.problems(text, file);
  return problems.map((problem) => ({ ...problem, at: text.slice(problem.offset, problem.offset + problem.length) }));
}

async function pairs(name: string, { count = 4, labels = labelDim, size = 8 } = {}): Promise<string> {
  const zeros = (...shape: number[]) => tensorData(shape, new Float32Array(shape.reduce((a, b) => a * b)));
  const folder = path.join(root, name);
  await writePairs(folder, {
    ...{
      count,
      shardSize: 4,
      batchSize: 4,
      seed: 1,
      shape: [3, size, size],
      labelDim: labels,
      config: { teacher: 'f00' },
    },
    make: async ({ length }) => ({
      z: zeros(length, 3, size, size),
      y: zeros(length, 3, size, size),
      labels: zeros(length, labels),
    }),
    onProgress() {},
    signal: new AbortController().signal,
  });
  return folder;
}

test('a sound config with a sound teacher has no problems, its paths relative to the file', async () => {
  assert.deepEqual(await check({ kind: 'distill', teacher: 'teacher.safetensors' }), []);
  assert.deepEqual(await check({ kind: 'distill' }), [], 'the built-in teacher');
});

test('what is wrong with the text itself is told as it is, also behind a byte order mark', async () => {
  const text = '{\n  "kind": "distill",\n  "batch": -1,\n  "bacth": 2\n}';
  const problems = await check(text);
  assert.deepEqual(
    problems.map(({ at, code }) => [at, code]),
    [
      ['-1', 'value'],
      ['"bacth"', 'unknown-key'],
    ],
  );
  assert.equal(problems.length, configProblems(text).length);
  const [first] = await check(`\uFEFF${text}`);
  assert.equal(first!.at, '-1');
  const [missing] = await check(`\uFEFF{ "kind": "distill", "teacher": "none.pkl" }`);
  assert.equal(missing!.at, '"none.pkl"');
});

test('a missing or damaged teacher is shown at its name', async () => {
  fs.writeFileSync(path.join(root, 'damaged.safetensors'), 'nothing');
  for (const name of ['none.pkl', 'damaged.safetensors', 'builtin:nothing', '.', 'a\0b']) {
    const [problem, ...more] = await check({ kind: 'distill', teacher: name });
    assert.deepEqual(
      [problem?.at, problem?.severity, problem?.code, more.length],
      [JSON.stringify(name), 'error', 'environment', 0],
    );
    assert.ok(problem!.message.length > 10);
  }
});

test('a generator is no teacher', async () => {
  const [problem] = await check({ kind: 'distill', teacher: 'builtin:scenes/generator' });
  assert.deepEqual([problem?.at, problem?.severity], ['"builtin:scenes/generator"', 'warning']);
});

test('pairs that are missing, of other shape or classes, of another teacher, or too few', async () => {
  const distill = (folder: string, count = 4) => ({
    kind: 'distill',
    teacher,
    regression: { pairs: { path: folder, count } },
  });
  const [missing] = await check(distill('no-pairs'));
  assert.deepEqual([missing?.at, missing?.severity], ['"no-pairs"', 'error']);
  await pairs('classes', { labels: 7 });
  const [classes] = await check(distill('classes'));
  assert.equal(classes?.severity, 'error');
  assert.match(classes!.message, /labelDim is 7 .* 3 now/);
  await pairs('shape', { size: 16 });
  assert.match((await check(distill('shape')))[0]!.message, /shape/);
  await pairs('sound');
  const few = await check(distill('sound', 50));
  assert.deepEqual(
    few.map(({ at, severity }) => [at, severity]),
    [
      ['"sound"', 'warning'],
      ['50', 'warning'],
    ],
  );
});

test('a default that cannot be met is shown where it would stand', async () => {
  await pairs('short', { count: 2 });
  const problems = await check({ kind: 'distill', teacher, regression: { pairs: { path: 'short' } } });
  assert.deepEqual(problems.map(({ at }) => at).sort(), ['"pairs"', '"short"']);
});

test('LPIPS without its weights, classes left out of a teacher without any', async () => {
  const regression = { distance: 'lpips', lpipsWeights: 'lpips.pth', vggWeights: 'vgg.pth' };
  const [lpips] = await check({ kind: 'distill', teacher, regression });
  assert.match(lpips!.at, /lpips\.pth|vgg\.pth/);
  const plain = await tinyTeacher(fs.mkdtempSync(path.join(root, 'plain-')), { label_dim: 0 });
  const [labels] = await check({ kind: 'distill', teacher: plain, labels: 'none' });
  assert.deepEqual([labels?.at, labels?.severity], ['"none"', 'error']);
});

test("a teacher's data: missing, or with other classes or sizes than the network", async () => {
  const teach = (data: object, change: object = {}) => ({
    kind: 'teach',
    network: { ...tinyNetwork, label_dim: 10, ...change },
    data,
  });
  assert.deepEqual(await check(teach({})), []);
  const [missing] = await check(teach({ source: 'none.zip' }));
  assert.equal(missing?.at, '"none.zip"');
  const [classes] = await check(teach({}, { label_dim: 4 }));
  assert.deepEqual([classes?.at, classes?.severity], ['4', 'error']);
  assert.match(classes!.message, /network\.label_dim is 4, .* has 10 classes/);
  const [channels] = await check(teach({}, { img_channels: 1 }));
  assert.match(channels!.message, /img_channels 1 does not fit/);
  const [initial] = await check({ ...teach({}), initial: 'none.safetensors' });
  assert.equal(initial?.at, '"none.safetensors"');
});

test("a text model's parts: layers that do not go together, and a text encoder that is none, at their keys", async () => {
  const encoder = (channels: number[]) => ({
    kind: 'teach-text-encoder',
    image_encoder: { channels, norm_num_groups: 4 },
  });
  assert.deepEqual(await check(encoder([6, 4])), []);
  const [layers] = await check(encoder([4, 6]));
  assert.match(layers!.at, /^\{\s*"channels"/);
  assert.match(layers!.message, /6 channels do not divide into 4 groups/);
  const unet = { block_out_channels: [8], attention: [true], norm_num_groups: 4 };
  const [text] = await check({ kind: 'teach-text', vae: 'builtin:scenes-text/vae', unet, initialText: 'none' });
  assert.equal(text?.at, '"none"');
});

test('prompts that cannot be read as such are shown at their key, and are right with a column', async () => {
  fs.writeFileSync(path.join(root, 'laion.tsv'), 'URL\tTEXT\nhttps://a/1.jpg\ta red circle\n');
  const config = (text: object) => ({
    kind: 'distill',
    teacher: 'builtin:scenes-text/teacher',
    text: { prompts: 'laion.tsv', ...text },
  });
  const found = await check(config({}));
  assert.deepEqual(
    found.map(({ at }) => at),
    ['"laion.tsv"'],
  );
  assert.match(found[0]!.message, /is a table \(TSV\), not a prompt per line/);
  assert.deepEqual(await check(config({ promptColumn: 'TEXT' })), []);
});

test('half-typed texts never throw, wherever they are cut', async () => {
  const quiet = new ConfigChecker(async () => []);
  for (const text of [presetText('teach', 'scenes'), presetText('distill', 'scenes-no-regression')]) {
    for (let length = 0; length <= text.length; length += 7) {
      const part = text.slice(0, length);
      for (const { offset, length: marked } of await check(part, quiet)) {
        assert.ok(offset >= 0 && offset + marked <= Math.max(1, part.length), `${offset}+${marked} of ${part.length}`);
      }
    }
  }
});

test('files are looked into again only when they, or the keys that name them, have changed', async () => {
  const asked: Config[] = [];
  const own = new ConfigChecker(async (config) => {
    asked.push(config);
    return findingsOf(config);
  });
  const distill = (change: object) => check({ kind: 'distill', teacher: 'later.safetensors', ...change }, own);
  assert.equal((await distill({})).length, 1);
  for (const iterations of [1, 10, 100]) assert.equal((await distill({ iterations, name: 'x' })).length, 1);
  assert.equal(asked.length, 1);
  fs.copyFileSync(teacher, path.join(root, 'later.safetensors'));
  assert.deepEqual(await distill({ iterations: 5 }), [], 'the file is there now');
  assert.equal(asked.length, 2);
  await distill({ regression: { enabled: false } });
  assert.equal(asked.length, 3);
});

test('a check that failed for a bug is asked again', async () => {
  let calls = 0;
  const own = new ConfigChecker(async () => {
    calls += 1;
    if (calls === 1) throw new Error('the thread died');
    return [];
  });
  await assert.rejects(check({ kind: 'distill' }, own), /the thread died/);
  assert.deepEqual(await check({ kind: 'distill' }, own), []);
});

test('over the channel: checked in a thread of its own; presets are sound configs', async () => {
  const { server, client } = playBoth();
  registerConfigs(server);
  server.listen();
  const text = '{ "kind": "distill", "teacher": "gone.pkl" }';
  const [problem] = await client.request(checkConfig, { text, file });
  assert.equal(text.slice(problem!.offset, problem!.offset + problem!.length), '"gone.pkl"');
  const presets = await client.request(listPresets, {});
  assert.ok(presets.length > 6);
  for (const preset of presets) assert.deepEqual(configProblems(preset.text), [], preset.name);
  await server.end(() => {});
});
