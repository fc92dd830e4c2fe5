/** Text embeddings: the same bits whatever they come with and wherever they were kept, each computed once. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { samplePrompts } from '../../backend/data/captioned/captioned-batch.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { type Disk, realDisk } from '../../backend/files/disk.ts';
import { EmbeddingStore } from '../../backend/methods/common/embedding-store.ts';
import { encodedTogether, TextEmbeddings } from '../../backend/methods/common/embeddings.ts';
import { type Build, NetworkProgram } from '../../backend/models/text/network-program.ts';
import { openTextTeacher } from '../../backend/models/text/text-teacher.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { distillConfig, scratch } from './training/tiny.ts';

const model = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const config = distillConfig(model, { text: { prompts: 'scenes', count: 5 } });
assert.ok(config.kind === 'distill');
const teacher = openTextTeacher(config);
const device = await openDevice('cpu', 1);
after(() => device.dispose());

/** The device, counting what the text encoder is run for. */
let runs = 0;
const engine: Engine = {
  device: device.device,
  crossings: device.crossings,
  capabilities: () => device.capabilities(),
  upload: (value) => device.upload(value),
  receive: (shape, slices) => device.receive(shape, slices),
  dispose: async () => {},
  async compile(graph, options) {
    const program = await device.compile(graph, options);
    const run: typeof program.run = (feeds) => {
      runs += 1;
      return program.run(feeds);
    };
    return { inputs: program.inputs, outputs: program.outputs, run, dispose: () => program.dispose() };
  },
};

/** Of different tokens each: the small vocabulary does not know all words. */
const byIds = new Map(
  samplePrompts(90, 'train', 4).map(({ prompt }) => [teacher.model.tokenizer.encode(prompt).ids.join(), prompt]),
);
const prompts = [...byIds.values()].slice(0, 19);
assert.equal(prompts.length, 19);
const length = teacher.tokens * teacher.network.contextDim;
const bits = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
const quiet = { onProgress: () => {}, signal: new AbortController().signal };

/** Every prompt's numbers, as a text encoder with a batch of one gives them. */
async function alone(list: readonly string[]): Promise<Map<string, string>> {
  const { textEncoder, tokenizer, openWeights } = teacher.model;
  const read = () => openWeights('text_encoder');
  const encoder = new NetworkProgram(device, { name: 'text encoder', layout: textEncoder.layout, read });
  const shape = [1, teacher.tokens];
  const all = new Map<string, string>();
  for (const prompt of list) {
    const ids = { shape, data: Float32Array.from(tokenizer.encode(prompt).ids) };
    const build: Build = (graph, source) => textEncoder.encode(source, graph.input('ids', shape));
    all.set(prompt, bits(await encoder.run('', build, { ids })));
  }
  await encoder.dispose();
  return all;
}
const expected = await alone(['', ...prompts]);

async function expectRight(embeddings: TextEmbeddings, list: readonly string[]): Promise<void> {
  const { shape, data } = await embeddings.of(list);
  assert.deepEqual(shape, [list.length, teacher.tokens, teacher.network.contextDim]);
  for (const [i, prompt] of list.entries()) {
    assert.equal(bits(data.subarray(i * length, (i + 1) * length)), expected.get(prompt), prompt);
  }
}

test("a prompt's bits depend on nothing but the prompt, and it is encoded once, with others", async () => {
  const [a, b, c] = prompts as [string, string, string];
  for (const list of [[a], [b, a], [c, b, a, c, '', a], prompts, prompts.toReversed()]) {
    const embeddings = new TextEmbeddings(engine, teacher);
    runs = 0;
    await expectRight(embeddings, list);
    const distinct = new Set(list).size;
    assert.equal(runs, Math.ceil(distinct / encodedTogether));
    await expectRight(embeddings, list.toReversed());
    assert.equal(runs, Math.ceil(distinct / encodedTogether));
    await embeddings.dispose();
  }
});

test('a list by number, and the empty prompt', async () => {
  const embeddings = new TextEmbeddings(engine, teacher);
  const listed = await embeddings.listed(prompts);
  assert.equal(listed.count, prompts.length);
  assert.equal(bits(listed.unconditional.data), expected.get(''));
  const { data } = await listed.embeddings([4, 2]);
  assert.equal(bits(data), `${expected.get(prompts[4]!)}${expected.get(prompts[2]!)}`);
  await embeddings.dispose();
});

/** Room for five in memory, the others in a folder. */
const spilling = (folder: string, change: { sha256?: string; memory?: number } = {}) =>
  new TextEmbeddings(engine, teacher, {
    memory: change.memory ?? 5 * 4 * length,
    store: { folder, sha256: change.sha256 ?? 'abc' },
  });

test('what memory has no room for goes to disk, and the next start reads it', async () => {
  const folder = path.join(scratch(), 'embeddings');
  const roomy = spilling(folder, { memory: 512e6 });
  await expectRight(roomy, prompts);
  await roomy.dispose();
  assert.ok(!fs.existsSync(folder), 'nothing is written as long as memory does');

  const first = spilling(folder);
  const progress: number[] = [];
  await first.prepare(prompts, { ...quiet, onProgress: (done) => progress.push(done) });
  assert.deepEqual([progress[0], progress.at(-1)], [0, prompts.length]);
  assert.equal(fs.statSync(path.join(folder, 'numbers')).size, (prompts.length - 5) * 4 * length);
  runs = 0;
  await expectRight(first, [...prompts, ...prompts.toReversed()]);
  assert.equal(runs, 0, 'memory and disk have them all');
  await first.dispose();

  const second = spilling(folder);
  await expectRight(second, prompts.slice(0, -5));
  assert.equal(runs, 0);
  await second.prepare(prompts, quiet);
  assert.equal(runs, 1, 'only those that were in memory');
  await expectRight(second, prompts);
  await second.dispose();

  const other = spilling(folder, { sha256: 'another text encoder' });
  runs = 0;
  await other.prepare(prompts, quiet);
  assert.equal(runs, Math.ceil(prompts.length / encodedTogether));
  await other.dispose();
});

test('encoding stops between two calls, says so, and goes on where it was', async () => {
  const folder = path.join(scratch(), 'embeddings');
  const first = spilling(folder, { memory: 0 });
  const control = new AbortController();
  const stopping = first.prepare(prompts, {
    signal: control.signal,
    onProgress: (done) => done === encodedTogether && control.abort(),
  });
  await assert.rejects(stopping, (error) => {
    assert.ok(error instanceof UserError && error.kind === 'cancelled');
    assert.match(error.message, /stopped at 8 of 19 prompts/);
    return true;
  });
  await first.dispose();
  runs = 0;
  const second = spilling(folder, { memory: 0 });
  const progress: number[] = [];
  await second.prepare(prompts, { ...quiet, onProgress: (done) => progress.push(done) });
  assert.deepEqual(progress, [8, 16, 19]);
  assert.equal(runs, 2);
  await expectRight(second, prompts);
  assert.equal(runs, 2);
  await second.dispose();
});

test('what is damaged or cut off on disk is encoded again, to the same bits', async () => {
  const folder = path.join(scratch(), 'embeddings');
  const files = [path.join(folder, 'numbers'), path.join(folder, 'index')] as const;
  const first = spilling(folder, { memory: 0 });
  await first.prepare(prompts, quiet);
  await first.dispose();
  const [numbers, index] = files.map((file) => fs.readFileSync(file)) as [Buffer, Buffer];
  const damages: [what: string, numbers: Buffer, index: Buffer, again: number][] = [
    ['a flipped bit', flipped(numbers, 7 * 4 * length + 11), index, 1],
    ['numbers cut off', numbers.subarray(0, numbers.length - 3), index, 1],
    ['an index cut off', numbers, index.subarray(0, index.length - 3), 1],
    ['a damaged checksum', numbers, flipped(index, index.length - 1), 1],
    ['no numbers', Buffer.alloc(0), index, 3],
    ['no index', numbers, Buffer.alloc(0), 3],
    ['a damaged header', numbers, flipped(index, 5), 3],
    ['numbers that never reached the disk', Buffer.alloc(numbers.length), index, 3],
  ];
  for (const [what, damaged, itsIndex, again] of damages) {
    fs.writeFileSync(files[0], damaged);
    fs.writeFileSync(files[1], itsIndex);
    for (const wanted of [again, 0]) {
      const embeddings = spilling(folder, { memory: 0 });
      runs = 0;
      await expectRight(embeddings, prompts);
      assert.equal(runs, wanted, what);
      await embeddings.dispose();
    }
  }
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0x20;
  return copy;
}

test('a disk that is full or forbidden is named, and what is on it stays readable', () => {
  const folder = path.join(scratch(), 'embeddings');
  let room = 300;
  const disk: Disk = {
    ...realDisk,
    write(file, bytes, position) {
      if (room < bytes.length) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      room -= bytes.length;
      return realDisk.write(file, bytes, position);
    },
  };
  const options = { folder, identity: 'x', length: 25 };
  const store = new EmbeddingStore(options, disk);
  const values = Float32Array.from({ length: 25 }, (_, i) => (i === 3 ? Number.NaN : -i / 7));
  store.add([1, 2], values);
  const full = (error: unknown) =>
    error instanceof UserError && error.kind === 'io' && error.message.includes(path.join(folder, 'numbers'));
  for (let i = 0; i < 2; i++) assert.throws(() => [store.add([1, 3], values), store.add([1, 4], values)], full);
  room = 1000;
  store.add([12], values);
  assert.throws(() => store.add([1], values.subarray(1)), /96 bytes, not 100/);
  store.close();
  const again = new EmbeddingStore(options);
  for (const ids of [[1, 2], [1, 3], [12]]) assert.equal(bits(again.read(ids)!), bits(values), ids.join());
  for (const ids of [
    [1, 4],
    [1, 2, 3],
    [1, 21],
  ])
    assert.equal(again.read(ids), undefined);
  again.close();

  fs.rmSync(path.join(folder, 'index'));
  fs.mkdirSync(path.join(folder, 'index'));
  assert.throws(
    () => new EmbeddingStore(options),
    (error) => error instanceof UserError && error.kind === 'io',
  );
});
