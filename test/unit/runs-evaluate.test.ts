/** `dmd eval`: the measures of a toy model, the references there are, and the table of real ones. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type EvalOptions, evalCommand } from '../../backend/cli/eval/eval.ts';
import type { Output } from '../../backend/cli/output.ts';
import { captionedBatch } from '../../backend/data/captioned/captioned-batch.ts';
import { encodePng } from '../../backend/data/png.ts';
import { openDevice } from '../../backend/engine/open.ts';
import type { Contestant } from '../../backend/evaluate/contestant.ts';
import { openContestant } from '../../backend/evaluate/contestants.ts';
import { evaluate } from '../../backend/evaluate/evaluate.ts';
import { type FeatureSpace, InceptionSpace, sceneSpace } from '../../backend/evaluate/feature-space.ts';
import { deviceProducts } from '../../backend/evaluate/pair-products.ts';
import { PictureFeatures } from '../../backend/evaluate/picture-features.ts';
import { captionedReference, type PictureAsked, type Reference } from '../../backend/evaluate/reference.ts';
import { SceneScorer } from '../../backend/evaluate/scene-scorer.ts';
import { heldOutScenes } from '../../backend/evaluate/scene-scores.ts';
import { ReferenceShelf } from '../../backend/evaluate/shelf.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { featureStatistics } from '../../backend/metrics/feature-statistics.ts';
import { frechetDistance } from '../../backend/metrics/frechet.ts';
import { inceptionLayout } from '../../backend/metrics/inception/network.ts';
import { inceptionFileTensors } from '../../backend/metrics/inception/weights.ts';
import { precisionRecall } from '../../backend/metrics/precision-recall.ts';
import { openModel } from '../../backend/models/model-file.ts';
import { writeModel } from '../../backend/models/write-model.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { SeededSource } from '../../backend/sampling/seeded-images.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { writeSafetensors } from '../../backend/weights/safetensors.ts';
import { hashedWeight } from '../golden/hashed-weights.ts';
import { refusal } from './weights/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-eval-'));
const engine = await openDevice('cpu', 1);
after(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

const network = createNetwork({
  img_resolution: 8,
  img_channels: 3,
  label_dim: 3,
  model_type: 'SongUNet',
  model_channels: 8,
  channel_mult: [1, 2],
  num_blocks: 1,
  attn_resolutions: [4],
});
const random = new TorchGenerator(3);
const flat = initialParameters(network.layout, random).map((value) => value + 0.1 * random.randn(1)[0]!);
const models = { generator: join(folder, 'generator.safetensors'), teacher: join(folder, 'teacher.safetensors') };
for (const [role, file] of Object.entries(models)) {
  const metadata = { 'dmd.role': role, 'dmd.generatorSigma': '20' };
  await writeModel(file, network.config, unpackParameters(network.layout, flat), metadata, false);
}

/** A picture's own mean and two of its numbers. */
const toySpace: FeatureSpace = {
  distanceName: 'FD (toy)',
  dims: 3,
  async features({ shape: [count, ...image], data }) {
    const size = sizeOf(image);
    return Float32Array.from({ length: count! * 3 }, (_, i) => {
      const picture = data.subarray(Math.floor(i / 3) * size, (Math.floor(i / 3) + 1) * size);
      return [picture.reduce((a, b) => a + b, 0) / size, picture[0]!, picture[5]!][i % 3]!;
    });
  },
  async dispose() {},
};

interface Drawn {
  readonly seeds: readonly number[];
  readonly prompts: readonly string[] | null;
}

/** Pictures of 3x2x2 that follow from their seed alone; remembers what it was asked for. */
function toyContestant(options: Partial<Contestant> = {}): Contestant & { drawn: Drawn[]; alone: number[] } {
  const [drawn, alone]: [Drawn[], number[]] = [[], []];
  const picture = (seed: number) => new TorchGenerator(seed).randn(12);
  return {
    ...{ name: 'toy', calls: 7, imageShape: [3, 2, 2], takesPrompts: false, classes: 4, drawn, alone },
    async draw(request) {
      drawn.push(request);
      const data = new Float32Array(request.seeds.length * 12);
      request.seeds.forEach((seed, i) => {
        data.set(picture(seed), i * 12);
      });
      return tensorData([request.seeds.length, 3, 2, 2], data);
    },
    async drawOne(seed) {
      alone.push(seed);
      return tensorData([1, 3, 2, 2], picture(seed));
    },
    async dispose() {},
    ...options,
  };
}

const realFeatures = tensorData([150, 3], new TorchGenerator(77).randn(450));
const toyReference = (asked: PictureAsked[]): Reference => ({
  label: 'toys',
  statistics: featureStatistics(realFeatures),
  features: realFeatures,
  prompts: null,
  right(images, pictures) {
    assert.equal(images.shape[0], pictures.length);
    asked.push(...pictures);
    const every = (n: number) => pictures.filter(({ index }) => index % n === 0).length;
    return { all: every(4), parts: { halves: every(2) } };
  },
});

const basic = { count: 230, seed: 11, prompts: null, promptScorer: null };

/** Mean distance of two rows, plainly. */
function spread({ data, shape: [count = 0, dims = 0] }: TensorData): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const squares = Array.from({ length: dims }, (_, k) => (data[i * dims + k]! - data[j * dims + k]!) ** 2);
      sum += Math.sqrt(squares.reduce((a, b) => a + b, 0));
    }
  }
  return sum / (count * (count - 1));
}

test('all measures of a model whose pictures are known, over a chunk and a part of one', async () => {
  const contestant = toyContestant();
  const asked: PictureAsked[] = [];
  const progress: number[] = [];
  const compared = { space: toySpace, reference: toyReference(asked) };
  const measured = await evaluate({ ...basic, contestant, compared, onProgress: (done) => progress.push(done) });
  const seeds = Array.from({ length: 230 }, (_, i) => 11 + i);
  assert.deepEqual(
    contestant.drawn.flatMap((request) => request.seeds),
    seeds,
  );
  const features = tensorData([230, 3], await toySpace.features(await toyContestant().draw({ seeds, prompts: null })));
  const distance = frechetDistance(featureStatistics(features), featureStatistics(realFeatures));
  assert.ok(Math.abs(measured.distance! - distance) < 1e-9, `${measured.distance} and ${distance}`);
  const { precision, recall } = await precisionRecall(realFeatures, features);
  assert.deepEqual([measured.precision, measured.recall], [precision, recall]);
  assert.ok(Math.abs(measured.diversity! - spread(features) / spread(realFeatures)) < 1e-9, `${measured.diversity}`);
  assert.deepEqual([measured.calls, measured.right, measured.promptScore], [7, 58 / 230, null]);
  assert.deepEqual(Object.keys(measured.rightParts), ['halves']);
  assert.ok(Math.abs(measured.rightParts.halves! - 115 / 230) < 1e-9);
  assert.ok(measured.secondsPerImage > 0 && contestant.alone.length >= 2);
  assert.deepEqual(progress, [50, 100, 150, 200, 230]);
  assert.deepEqual(
    asked,
    seeds.map((seed, index) => ({ index, class: seed % 4 })),
  );
});

test('statistics alone give no precision and recall, and nothing to compare with gives no distance', async () => {
  const reference = { ...toyReference([]), features: null, right: null };
  const some = { ...basic, count: 20, contestant: toyContestant() };
  const known = await evaluate({ ...some, compared: { space: toySpace, reference } });
  assert.ok(known.distance! > 0);
  assert.deepEqual([known.precision, known.recall, known.right], [null, null, null]);
  const alone = await evaluate({ ...some, compared: null });
  assert.deepEqual([alone.distance, alone.precision, alone.right], [null, null, null]);
});

test('prompts go round, each with its picture, and their scores are averaged', async () => {
  const contestant = toyContestant({ takesPrompts: true, classes: 0 });
  const prompts = ['a', 'bb', 'cccc'];
  const promptScorer = {
    name: 'length',
    scores: async (images: TensorData, own: readonly string[]) => {
      assert.equal(images.shape[0], own.length);
      return own.map((prompt) => prompt.length);
    },
  };
  const measured = await evaluate({ ...basic, count: 203, contestant, prompts, promptScorer, compared: null });
  const own = contestant.drawn.flatMap((request) => request.prompts!);
  assert.deepEqual(
    own,
    Array.from({ length: 203 }, (_, i) => prompts[i % 3]),
  );
  assert.ok(Math.abs(measured.promptScore! - own.join('').length / 203) < 1e-12);
  const without = evaluate({ ...basic, contestant, compared: null });
  await assert.rejects(without, refusal(/toy needs prompts/, 'usage'));
});

test('a stop ends it at the next chunk', async () => {
  const controller = new AbortController();
  const contestant = toyContestant();
  const options = { ...basic, contestant, compared: null, signal: controller.signal };
  const stopped = evaluate({ ...options, onProgress: () => controller.abort() });
  await assert.rejects(stopped, (error: { kind?: string }) => error.kind === 'cancelled');
  assert.equal(contestant.drawn.length, 1);
});

test('products of pairs on a device are those of the host, also of smaller blocks', async () => {
  const random = new TorchGenerator(8);
  const { products, dispose } = await deviceProducts(engine, 6, 5);
  for (const [n, m] of [
    [6, 6],
    [6, 1],
    [4, 5],
  ] as const) {
    const [a, b] = [n, m].map((rows) => tensorData([rows, 5], random.randn(rows * 5)));
    const actual = await products(a!, b!);
    assert.equal(actual.length, n * m);
    for (let i = 0; i < n * m; i++) {
      const [row, column] = [Math.floor(i / m), i % m];
      const expected = [0, 1, 2, 3, 4].reduce((s, d) => s + a!.data[row * 5 + d]! * b!.data[column * 5 + d]!, 0);
      assert.ok(Math.abs(actual[i]! - expected) < 1e-5);
    }
  }
  await dispose();
});

test('a generator is called once, a teacher by Heun, with the classes going round', async () => {
  const { weights, generatorSigma: sigma } = await openModel(models.teacher);
  const seeds = [4, 5, 6, 9];
  for (const [file, asked, steps, calls] of [
    [models.generator, null, 1, 1],
    [models.teacher, 3, 3, 5],
    [models.teacher, null, 18, 35],
  ] as const) {
    const contestant = await openContestant(file, { engine, steps: asked });
    assert.deepEqual([contestant.calls, contestant.classes, contestant.imageShape], [calls, 3, [3, 8, 8]]);
    const source = await SeededSource.create(engine, network, weights, 4);
    const request = { seeds, classes: [1, 2, 0, 0], steps, sigma, sampler: 'edm', samplerOptions: {} } as const;
    const { images } = await source.draw(request);
    const drawn = await contestant.draw({ seeds, prompts: null });
    const gap = drawn.data.reduce((most, value, i) => Math.max(most, Math.abs(value - images.data[i]!)), 0);
    assert.ok(gap < 1e-4, `${gap}`);
    const one = await contestant.drawOne(6, null);
    const third = images.data.subarray(2 * 192, 3 * 192);
    assert.ok(one.data.every((value, i) => Math.abs(value - third[i]!) < 1e-4));
    await source.dispose();
    await contestant.dispose();
  }
});

const sceneFile = fileURLToPath(new URL('../../media/scenes/features.safetensors', import.meta.url));

test('the built-in features halve pictures of 64 pixels and refuse others', async () => {
  const space = sceneSpace(await PictureFeatures.create(engine, (await loadWeights(sceneFile)).tensors));
  const small = heldOutScenes([0, 1, 2]);
  const large = new Float32Array(small.data.length * 4);
  large.forEach((_, i) => {
    const [plane, row, column] = [Math.floor(i / 4096), Math.floor(i / 64) % 64, i % 64];
    // Every pixel four times, unevenly, with the same mean.
    const sign = (row + column) % 2 === 0 ? 1 : -1;
    large[i] = small.data[plane * 1024 + (row >> 1) * 32 + (column >> 1)]! + 0.25 * sign;
  });
  const expected = await space.features(small);
  const actual = await space.features({ shape: [3, 3, 64, 64], data: large });
  assert.ok(actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-3));
  await assert.rejects(
    space.features({ shape: [1, 3, 8, 8], data: new Float32Array(192) }),
    refusal(/take colour pictures of 32 or 64 pixels, not \[3, 8, 8\]/, 'usage'),
  );
  await space.dispose();
});

test('which reference belongs to which model', async () => {
  const shelf = (options: { path?: string; captions?: string[]; isInception?: boolean; hasOwnData?: boolean }) =>
    new ReferenceShelf({
      ...{ space: toySpace, isInception: false, hasOwnData: true, path: null, count: 3, captions: null },
      ...options,
    });
  assert.throws(() => shelf({ path: 'a.npz' }), refusal(/need that network/, 'usage'));
  await assert.rejects(
    shelf({ path: 'a.npz', isInception: true }).referenceFor(toyContestant()),
    refusal(/a\.npz: no such file/),
  );
  const scenes = toyContestant({ imageShape: [3, 32, 32], classes: 10 });
  const one = shelf({});
  const reference = await one.referenceFor(scenes);
  assert.equal(reference!.label, '3 held-out scenes');
  assert.equal(await one.referenceFor({ ...scenes, name: 'another' }), reference, 'made once');
  const text = toyContestant({ imageShape: [3, 64, 64], takesPrompts: true, classes: 0 });
  assert.equal((await one.referenceFor(text))!.label, '3 captioned scenes, held out');
  assert.equal(await shelf({ captions: ['a cat'] }).referenceFor(text), null);
  await assert.rejects(one.referenceFor(toyContestant()), refusal(/nothing to compare toy with/, 'usage'));
  const other = shelf({ hasOwnData: false });
  await assert.rejects(other.referenceFor(scenes), refusal(/no reference is given/, 'usage'));
});

test('captioned scenes: true renders are right for their prompts, exchanged ones are not', async () => {
  const reference = await captionedReference(12, toySpace);
  const images = captionedBatch(20_231_128, [...Array(12).keys()], 'held-out').images;
  const asked = Array.from({ length: 12 }, (_, index) => ({ index, class: -1 }));
  assert.equal(reference.prompts!.length, 12);
  const counts = [asked, asked.toReversed()].map((pictures) => reference.right!(images, pictures));
  const [own, exchanged] = await Promise.all(counts);
  assert.ok(own!.all >= 11 && exchanged!.all <= 3);
  assert.deepEqual(Object.keys(own!.parts), ['colours', 'shapes', 'places']);
  for (const [part, count] of Object.entries(own!.parts)) {
    assert.ok(count >= own!.all && exchanged!.parts[part]! < count, part);
  }
});

/** Events and lines of `dmd eval`. */
async function run(names: string[], options: Partial<EvalOptions>) {
  const [events, lines]: [Record<string, unknown>[], string[]] = [[], []];
  const output: Output = {
    json: false,
    line: (text = '') => lines.push(text),
    event: (event, fields) => events.push({ event, ...fields }),
  };
  const defaults = { resize: 'pytorch-fid', count: 40, seed: 100_000, device: 'cpu', threads: 1 } as const;
  await evalCommand(names, { ...defaults, ...options }, output);
  return { events, lines };
}

test("the built-in generator: the distance that dmd score has, and the paper's table", async () => {
  const { events, lines } = await run(['builtin:scenes'], {});
  const { network: own, weights, generatorSigma: sigma } = await openModel('builtin:scenes');
  const scorer = await SceneScorer.create(engine, 40);
  const score = await scorer.score(own, weights, { seed: 100_000, steps: 1, sigma, count: 40, checked: 40 });
  await scorer.dispose();
  assert.ok(Math.abs((events[0]!.distance as number) / score.distance - 1) < 1e-3);
  assert.equal(events[0]!.right, score.accepted);
  assert.match(lines[0]!, /^model +calls +ms per image +FD \(scenes features\) +precision +recall +diversity +right$/);
  assert.match(lines[1]!, /^builtin:scenes +1 +\d/);
  assert.ok(lines.includes('compared with 40 held-out scenes'));
});

test('images as reference, in features of InceptionV3 that are not the published ones', async () => {
  const values = inceptionFileTensors.map(({ name, shape }) => {
    const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
    const rule = name.endsWith('.conv.weight') ? (u: number) => (2 * u - 1) * bound : (u: number) => 0.5 + u;
    return [name, { shape, data: hashedWeight(name, sizeOf(shape), rule) }] as const;
  });
  const inception = join(folder, 'inception.safetensors');
  await writeSafetensors(inception, values, { dtype: 'F16' });
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  for (const i of [0, 1, 2, 3, 4, 5]) {
    writeFileSync(join(pictures, `${i}.png`), encodePng(tensorData([3, 8, 8], new TorchGenerator(i).randn(192))));
  }
  const options = { reference: pictures, inception, resize: 'edm', count: 5 } as const;
  const { events, lines } = await run([models.generator], options);
  const name = 'FD, InceptionV3 of inception.safetensors, which is not the published file (edm)';
  assert.equal(events[0]!.distanceName, name);
  assert.ok(lines[0]!.includes(name) && !lines.some((line) => line.includes('FID')));
  assert.ok((events[0]!.distance as number) > 0 && events[0]!.precision !== null && events[0]!.right === null);
  assert.ok(lines.includes(`compared with 5 images of ${pictures}`));
  assert.ok(lines.some((line) => line.startsWith('edm: TensorFlow')));
});

test('features of InceptionV3 do not depend on the pictures beside them', async () => {
  const weights = new Map(
    inceptionLayout.entries.map(({ name, shape }) => {
      const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
      return [name, { shape, data: hashedWeight(name, sizeOf(shape), (u) => (2 * u - 1) * Math.min(bound, 0.3)) }];
    }),
  );
  const space = await InceptionSpace.create(engine, { weights, kind: 'pytorch-fid', distance: 'FID', batch: 2 });
  assert.equal(space.distanceName, 'FID (pytorch-fid)');
  const images = tensorData([3, 3, 8, 8], new TorchGenerator(1).randn(576));
  const all = await space.features(images);
  assert.equal(all.length, 3 * 2048);
  const last = await space.features({ shape: [1, 3, 8, 8], data: images.data.subarray(384) });
  const size = Math.max(...last.map(Math.abs));
  assert.ok(size > 0 && last.every((value, i) => Math.abs(value - all[2 * 2048 + i]!) <= 1e-5 * size));
  await space.dispose();
});
