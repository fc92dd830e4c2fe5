/** Small files that claim to be large, and large ones of many small things: refused in words, and soon. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { shardLayout } from '../../backend/data/pair-shard.ts';
import { openPairs } from '../../backend/data/pairs.ts';
import { encodePng } from '../../backend/data/png.ts';
import { type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { configProblems, nearest } from '../../backend/protocol/config/index.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { examine } from '../../backend/runs/health.ts';
import { parseTokenizerJson } from '../../backend/text/vocabulary.ts';
import { encodeTensors } from '../../backend/weights/tensor-file.ts';
import { limitHere } from '../machine-speed.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();

/** Seconds of the processor, whatever else the machine does. */
function seconds(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

test('a config of 200,000 mistakes: the first hundred are said, and how many more there are', () => {
  const keys = Array.from({ length: 200_000 }, (_, i) => `"k${i}": 0`);
  const text = `{"kind": "distill", "teacher": "x", ${keys.join(', ')}}`;
  let problems: ReturnType<typeof configProblems> = [];
  assert.ok(seconds(() => (problems = configProblems(text))) < limitHere(5000) / 1000);
  assert.equal(problems.length, 101);
  assert.match(problems[0]!.what, /unknown key "k0"/);
  assert.equal(text.slice(problems[0]!.offset).startsWith('"k0"'), true);
  assert.match(problems.at(-1)!.what, /^and 1999\d\d more mistakes/);
});

test('a word without end is like no known one, and it takes no time to see that', () => {
  assert.ok(
    seconds(() => assert.equal(nearest('k'.repeat(1e6), ['iterations', 'seed']), undefined)) < limitHere(200) / 1000,
  );
  assert.equal(nearest('itertions', ['iterations', 'seed']), 'iterations');
});

const manifest = {
  format: 'dmd-pairs-1',
  config: {},
  seed: 1,
  shape: [3, 2, 2],
  labelDim: 2,
  count: 2,
  shardSize: 2,
  shards: [null],
};

/** Pairs whose shard has the hash that the manifest says. */
async function pairsOf(change: object, shard: Uint8Array): Promise<string> {
  const { createHash } = await import('node:crypto');
  const folder = fs.mkdtempSync(scratch.path('pairs-'));
  const sha256 = createHash('sha256').update(shard).digest('hex');
  fs.writeFileSync(`${folder}/pairs-00000.safetensors`, shard);
  fs.writeFileSync(`${folder}/pairs.json`, JSON.stringify({ ...manifest, shards: [{ count: 2, sha256 }], ...change }));
  return folder;
}

function shardOf(rows: number, numbers: readonly number[]): Uint8Array {
  const image = tensorData([rows, ...numbers], new Float32Array(rows * numbers.reduce((a, b) => a * b, 1)));
  const labels = tensorData([rows, 2], new Float32Array(2 * rows));
  return encodeTensors(new Map(Object.entries({ z: image, y: image, labels })));
}

test('pairs without end are not finished; a list of their shards is never made', async () => {
  const folder = await pairsOf({ count: Number.MAX_SAFE_INTEGER, shardSize: 1, shards: [] }, new Uint8Array(0));
  await assert.rejects(openPairs(folder), refusal(/are not finished: shard 0 is missing/, 'data'));
});

test('pairs that are larger than their file are damaged, before there is room for them', async () => {
  const larger = { shape: [1e6, 1e6, 1e6] };
  for (const [change, shard, what] of [
    [larger, shardOf(2, [3, 2, 2]), /it has no z of the manifest's shape/],
    [larger, shardOf(0, [1e6, 1e6, 1e6]), /it has 0 of z, not 2/],
    [{ labelDim: 1e12 }, shardOf(2, [3, 2, 2]), /it has no labels of the manifest's shape/],
  ] as const) {
    const set = await openPairs(await pairsOf(change, shard));
    await assert.rejects(set.batch([0]), refusal(what, 'data'));
  }
  const sound = await openPairs(await pairsOf({}, shardOf(2, [3, 2, 2])));
  assert.deepEqual((await sound.batch([1, 0])).z.shape, [2, 3, 2, 2]);
  await assert.rejects(
    shardLayout(await scratch.write('s', shardOf(1, [1])), 2, { z: [1], y: [1], labels: [2] }),
    /it has 1 of z, not 2/,
  );
});

test('recorded fields of four thousand million samples of nothing are no batch to judge', () => {
  const folder = fs.mkdtempSync(scratch.path('run-'));
  fs.mkdirSync(`${folder}/fields/training`, { recursive: true });
  const writer = openEventWriter(`${folder}/events`);
  writer.add(1, { scalars: { 'loss/matching': 1 } });
  writer.close();
  const nothing = { shape: [4_000_000_000, 0], data: new Float32Array(0) };
  const few = { shape: [2, 1], data: Float32Array.of(1, 2) };
  const batch = (x: TensorData, others: TensorData) =>
    encodeTensors(new Map(Object.entries({ x, muReal: others, muFake: others, grad: others, sigma: others })));
  fs.writeFileSync(`${folder}/fields/training/step-00000001.safetensors`, batch(nothing, nothing));
  fs.writeFileSync(`${folder}/fields/training/step-00000002.safetensors`, batch(few, nothing));
  fs.writeFileSync(
    `${folder}/fields/training/step-00000003.safetensors`,
    batch({ shape: [], data: Float32Array.of(1) }, few),
  );
  assert.equal(examine(folder).step, 1);
});

test('a class of two thousand millions makes no row of as many numbers', async () => {
  const folder = fs.mkdtempSync(scratch.path('data-'));
  fs.writeFileSync(`${folder}/a.png`, encodePng(tensorData([1, 1, 1], new Float32Array(1))));
  fs.writeFileSync(`${folder}/dataset.json`, '{"labels": [["a.png", 2147483647]]}');
  await assert.rejects(openImageDataset(folder), refusal(/the label of a\.png is 2147483647/, 'data'));
});

test('a tokenizer of 300,000 mistakes is refused in a sentence', () => {
  const text = JSON.stringify({
    normalizer: { normalizers: [] },
    pre_tokenizer: { pretokenizers: [] },
    model: { type: 'BPE', end_of_word_suffix: '</w>', vocab: {}, merges: Array(300_000).fill(0) },
  });
  assert.throws(() => parseTokenizerJson(text, 'tokenizer.json'), refusal(/^tokenizer\.json: .*far too many mistakes/));
});
