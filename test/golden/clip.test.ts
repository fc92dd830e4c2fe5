/** CLIP score against transformers, with tiny random models (test/golden/record/clip.py). */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { openClipScorer } from '../../backend/evaluate/clip-scorer.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { constantParameters, packParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { clipImages, clipProcessor, clipScores } from '../../backend/metrics/clip-score.ts';
import { createClipModel } from '../../backend/nets/clip-vision.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { clipLayout, clipLossGraph } from '../../backend/teach/clip-loss.ts';
import { ClipTokenizer } from '../../backend/text/index.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';

const golden = fileURLToPath(new URL('clip', import.meta.url));
const { texts } = JSON.parse(readFileSync(join(golden, 'texts.json'), 'utf8')) as { texts: string[] };
const scratch = mkdtempSync(join(tmpdir(), 'dmd-clip-'));
const engine = await openDevice('cpu', 1);
after(async () => {
  await engine.dispose();
  rmSync(scratch, { recursive: true });
});

async function floats(file: string): Promise<Map<string, TensorData>> {
  const { tensors } = await readSafetensors(file);
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

const activations = ['quick-gelu', 'gelu'] as const;
const recorded = new Map(
  await Promise.all(
    activations.map(async (name) => [name, await floats(join(golden, name, 'io.safetensors'))] as const),
  ),
);

/** A recorded picture of bytes as the program has pictures. */
function picture({ shape, data }: TensorData): TensorData {
  return tensorData(
    [1, ...shape],
    data.map((byte) => byte / 127.5 - 1),
  );
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(actual[i]! - expected[i]!);
    assert.ok(gap <= tolerance, `${what}[${i}]: ${actual[i]}, expected ${expected[i]}`);
  }
}

/** Rows at length 1, as transformers gives embeddings. */
function normalized({ shape: [rows, dims], data }: TensorData): Float32Array {
  const lengths = Array.from({ length: rows! }, (_, i) => Math.hypot(...data.subarray(i * dims!, (i + 1) * dims!)));
  return data.map((value, i) => value / lengths[Math.floor(i / dims!)]!);
}

/** The recorded pictures and texts as a batch of four. */
function batchOf(arrays: ReadonlyMap<string, TensorData>) {
  const pixels = new Float32Array(sizeOf([4, 3, 16, 16]));
  for (const k of [0, 1, 2, 3]) pixels.set(arrays.get(`pixels${k}`)!.data, k * 768);
  const ids = arrays.get('ids')!;
  const endId = Math.max(...ids.data);
  // Padding is the end token too: the first one counts.
  const end = ids.data.map((id, i) => Number(id === endId && ids.data.indexOf(endId, i - (i % 20)) === i));
  return { pixels: tensorData([4, 3, 16, 16], pixels), ids, end: tensorData([4, 20], end) };
}

for (const name of activations) {
  const folder = join(golden, name);
  const arrays = recorded.get(name)!;

  test(`${name}: pictures of every shape as the processor makes them, texts as the tokenizer`, async () => {
    const processor = clipProcessor(readJson(join(folder, 'preprocessor_config.json')), folder);
    for (const k of [0, 1, 2, 3]) {
      const expected = arrays.get(`pixels${k}`)!;
      const { shape, data } = clipImages(picture(arrays.get(`picture${k}`)!), processor);
      assert.deepEqual(shape, [1, ...expected.shape]);
      assertNear(data, expected.data, 1e-6, `picture ${k}`);
    }
    const tokenizer = await ClipTokenizer.fromFolder(folder, { maxTokens: 20 });
    assert.deepEqual(
      texts.flatMap((text) => tokenizer.encode(text).ids),
      [...arrays.get('ids')!.data],
    );
  });

  test(`${name}: embeddings`, async () => {
    const model = createClipModel(readJson(join(folder, 'config.json')));
    assert.deepEqual([model.imageSide, model.maxTokens, model.embeddingDim], [16, 20, 10]);
    const weights = await floats(join(folder, 'model.safetensors'));
    const names = [...weights.keys()].filter((key) => key !== 'logit_scale').sort();
    assert.deepEqual(model.layout.entries.map((entry) => entry.name).sort(), names);
    const graph = new Graph();
    const source = constantParameters(graph, weights);
    graph.output('image', model.embedImages(source, graph.input('pixels', [4, 3, 16, 16])));
    graph.output('text', model.embedTexts(source, graph.input('ids', [4, 20]), graph.input('end', [4, 20])));
    const program = await engine.compile(graph);
    const { image, text } = await program.run(batchOf(arrays));
    const [a, b] = [tensorData([4, 10], await image!.read()), tensorData([4, 10], await text!.read())];
    assertNear(normalized(a), arrays.get('image_embeds')!.data, 1e-5, 'image');
    assertNear(normalized(b), arrays.get('text_embeds')!.data, 1e-5, 'text');
    assertNear(clipScores(a, b), arrays.get('scores')!.data, 1e-3, 'scores');
    await program.dispose();
  });

  test(`${name}: the loss of training and its gradients`, async () => {
    const model = createClipModel(readJson(join(folder, 'config.json')));
    const layout = clipLayout(model);
    const weights = await floats(join(folder, 'model.safetensors'));
    assert.deepEqual(layout.entries.map((entry) => entry.name).sort(), [...weights.keys()].sort());
    const expected = await floats(join(folder, 'loss.safetensors'));
    const parameters = tensorData([layout.size], packParameters(layout, weights));
    const program = await engine.compile(clipLossGraph(model, layout, 4));
    const results = await program.run({ parameters, ...batchOf(arrays) });
    assertNear(await results.loss!.read(), expected.get('loss')!.data, 1e-5, 'loss');
    const gradients = unpackParameters(layout, await results.gradient!.read());
    for (const [key, { data }] of expected) {
      const largest = Math.max(...data.map(Math.abs));
      if (key !== 'loss') assertNear(gradients.get(key)!.data, data, 1e-4 * largest, key);
    }
    await program.dispose();
  });

  test(`${name}: scores of pictures and prompts, from the folder`, async () => {
    const scorer = await openClipScorer(engine, folder);
    assert.equal(scorer.name, `CLIP score (${name})`);
    for (const k of [0, 1, 2, 3]) {
      const scores = await scorer.scores(picture(arrays.get(`picture${k}`)!), [texts[k]!]);
      assertNear(scores, [arrays.get('scores')!.data[k]!], 1e-3, `picture ${k}`);
    }
    // More than a batch: every one as alone.
    const one = picture(arrays.get('picture3')!);
    const many = tensorData([13, 3, 20, 20], new Float32Array(13 * 1200));
    for (let i = 0; i < 13; i++) many.data.set(one.data, i * 1200);
    const scores = await scorer.scores(many, Array(13).fill(texts[3]!));
    assertNear(scores, Array(13).fill(arrays.get('scores')!.data[3]!), 1e-3, 'many');
    await scorer.dispose();
  });
}

test('opposite directions score 0, equal ones 100, whatever their lengths', () => {
  const images = tensorData([3, 2], Float32Array.of(1, 2, 3, 0, 1, 0));
  const scores = clipScores(images, tensorData([3, 2], Float32Array.of(2, 4, -5, 0, 7, 7)));
  assertNear(scores, [100, 0, 100 * Math.SQRT1_2], 1e-6, 'scores');
  assert.throws(() => clipScores(images, tensorData([2, 2], new Float32Array(4))), /\[3,2\] and \[2,2\]/);
});

let copies = 0;
/** A copy of a recorded folder with changes. */
async function changed(change: (folder: string) => void | Promise<void>): Promise<string> {
  const folder = join(scratch, `${copies++}`);
  cpSync(join(golden, 'gelu'), folder, { recursive: true });
  await change(folder);
  return folder;
}
const refused = (kind: string, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String(error));
  assert.deepEqual([error.kind, pattern.test(error.message)], [kind, true], error.message);
  return true;
};
const rewrite = (file: string, change: Record<string, unknown>) => (folder: string) => {
  const path = join(folder, file);
  writeFileSync(path, JSON.stringify({ ...readJson(path), ...change }));
};
const without = (tensor: string) => async (folder: string) => {
  const { tensors } = await readSafetensors(join(folder, 'model.safetensors'));
  tensors.delete(tensor);
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
};

test('a folder that is no CLIP, or not whole, is refused by name', async () => {
  const cases: [change: (folder: string) => void | Promise<void>, kind: string, pattern: RegExp][] = [
    [(folder) => rmSync(join(folder, 'config.json')), 'weights', /not a CLIP folder/],
    [(folder) => rmSync(join(folder, 'model.safetensors')), 'weights', /has no model\.safetensors/],
    [(folder) => rmSync(join(folder, 'vocab.json')), 'weights', /vocab\.json/],
    [without('visual_projection.weight'), 'weights', /1 missing \(visual_projection\.weight\)/],
    [rewrite('config.json', { model_type: 'siglip' }), 'config', /'model_type' is "siglip"/],
    [rewrite('config.json', { vision_config: { patch_size: 5, image_size: 16 } }), 'config', /patch_size/],
    [rewrite('config.json', { vision_config: { image_size: 32 } }), 'weights', /16 pixels, the network takes 32/],
    [rewrite('preprocessor_config.json', { resample: 2 }), 'config', /preprocessor_config\.json: resample/],
    [rewrite('preprocessor_config.json', { do_normalize: false }), 'config', /do_normalize/],
    [rewrite('preprocessor_config.json', { crop_size: 12 }), 'config', /cropping to 12 x 12 is not supported/],
  ];
  for (const [change, kind, pattern] of cases) {
    await assert.rejects(openClipScorer(engine, await changed(change)), refused(kind, pattern));
  }
  const fewer = await changed((folder) => {
    const { text_config: text } = readJson(join(folder, 'config.json')) as { text_config: Record<string, unknown> };
    rewrite('config.json', { text_config: { ...text, vocab_size: 600 } })(folder);
  });
  await assert.rejects(openClipScorer(engine, fewer), refused('weights', /640 tokens, the network 600/));
});

test("old folders: the processor's sizes as plain numbers, its file missing, positions among the weights", async () => {
  const expected = recorded.get('gelu')!;
  const plain = await changed(async (folder) => {
    rewrite('preprocessor_config.json', { size: 16, crop_size: 16, do_rescale: undefined })(folder);
    const { tensors } = await readSafetensors(join(folder, 'model.safetensors'));
    const positions = { dtype: 'I64', shape: [1, 20], data: new BigInt64Array(20) } as const;
    tensors.set('text_model.embeddings.position_ids', positions);
    await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  });
  const scorer = await openClipScorer(engine, plain);
  const scores = await scorer.scores(picture(expected.get('picture1')!), [texts[1]!]);
  assertNear(scores, [expected.get('scores')!.data[1]!], 1e-3, 'score');
  await scorer.dispose();
  assert.equal(clipProcessor({}, 'a').side, 224);
});
