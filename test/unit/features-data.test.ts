/** Feature networks of a person's own data: trained, tested, kept in a file, and what `dmd eval` reads and measures with them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type EvalOptions, evalCommand } from '../../backend/cli/eval/eval.ts';
import { featuresCommand } from '../../backend/cli/features/features.ts';
import type { FeaturesOptions } from '../../backend/cli/features/options.ts';
import type { Output } from '../../backend/cli/output.ts';
import { decodePng } from '../../backend/data/png.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { openFeatures, readFeatures } from '../../backend/evaluate/features-file.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { writeModel } from '../../backend/models/write-model.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { shifted } from '../../backend/teach/picture-features.ts';
import { writeSafetensors } from '../../backend/weights/safetensors.ts';
import { idx } from '../idx.ts';
import { randomBelow } from '../random.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-features-'));
after(() => rmSync(root, { recursive: true }));

const side = 12;

/** Pictures that are light above (class 0) or below (class 1), with as much noise as there is difference. */
function halves(name: string, count: number): string {
  const classes = Uint8Array.from({ length: count }, () => randomBelow(2));
  const pixels = Uint8Array.from({ length: count * side * side }, (_, i) => {
    const isAbove = Math.floor(i / side) % side < side / 2;
    const isLight = isAbove === (classes[Math.floor(i / (side * side))] === 0);
    return (isLight ? 120 : 20) + randomBelow(100);
  });
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'train-images-idx3-ubyte'), idx([count, side, side], pixels));
  writeFileSync(join(folder, 'train-labels-idx1-ubyte'), idx([count], classes));
  return folder;
}

function recorded() {
  const [events, lines]: [Record<string, unknown>[], string[]] = [[], []];
  const output: Output = {
    json: false,
    line: (text = '') => lines.push(text),
    event: (event, fields) => events.push({ event, ...fields }),
  };
  return { events, lines, output };
}

const data = halves('train', 300);
const file = join(root, 'halves.safetensors');
const options: FeaturesOptions = {
  ...{ out: file, data, name: 'halves', size: 16, fit: 'pad', iterations: 40, batch: 20, seed: 3, threads: 1 },
};

const trained = recorded();
await featuresCommand(options, trained.output);

test('a network tells the classes of pictures apart that it has not seen, and its file says how well', async () => {
  const [{ right, of }] = trained.events as [{ right: number; of: number }];
  assert.equal(of, 30, 'every tenth picture was left out');
  assert.ok(right >= 28, `${right} of ${of}`);
  assert.match(
    trained.lines.join(),
    new RegExp(`${right} of 30 unseen pictures, ${((100 * right) / 30).toFixed(2)} %`),
  );
  const { about, weights } = await readFeatures(file);
  assert.deepEqual(about, { name: 'halves', shape: [1, 16, 16], classes: 2, fit: 'pad', right, of });
  const engine = await openDevice('cpu', 1);
  const network = await openFeatures(engine, { about, weights });
  const light = new Float32Array(256).map((_, i) => (i >= 128 ? 0.4 : -0.7));
  assert.deepEqual([...(await network.classes({ shape: [1, 1, 16, 16], data: light }))], [1]);
  await network.dispose();
  await engine.dispose();
});

/** A generator of 16 x 16 gray pictures of two classes, with random weights. */
async function toyGenerator(): Promise<string> {
  const sizes = { img_resolution: 16, img_channels: 1, label_dim: 2, model_channels: 8, num_blocks: 1 };
  const network = createNetwork({ ...sizes, model_type: 'SongUNet', channel_mult: [1, 2], attn_resolutions: [8] });
  const path = join(root, 'generator.safetensors');
  const weights = unpackParameters(network.layout, initialParameters(network.layout, new TorchGenerator(1)));
  await writeModel(path, network.config, weights, { 'dmd.role': 'generator', 'dmd.generatorSigma': '80' }, false);
  return path;
}

test('dmd eval compares in its features, and says how many pictures show the class asked for', async () => {
  const { events, lines, output } = recorded();
  const model = await toyGenerator();
  const asked: EvalOptions = { resize: 'pytorch-fid', count: 60, seed: 5, device: 'cpu', threads: 1 };
  await evalCommand([model], { ...asked, features: file, reference: data }, output);
  const [event] = events as [{ distanceName: string; distance: number; right: number; precision: number }];
  assert.equal(event.distanceName, 'FD (halves features)');
  assert.ok(event.distance > 0 && Number.isInteger(Math.round(60 * event.right * 1e6) / 1e6));
  assert.ok(event.precision >= 0 && event.precision <= 1);
  assert.match(lines.join('\n'), /compared with 60 images of .*train/);
  await assert.rejects(evalCommand([model], { ...asked, features: file }, output), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(`${error.message} ${error.hint}`, /no reference is given.*--reference/);
    return true;
  });
});

test('what is no feature network, data without classes and too few of them are refused', async () => {
  const other = join(root, 'other.safetensors');
  await writeSafetensors(other, new Map([['x', { shape: [1], data: Float32Array.of(1) }]]), {
    metadata: {},
    dtype: 'F32',
  });
  await assert.rejects(readFeatures(other), {
    kind: 'weights',
    message: /other\.safetensors is not a feature network/,
  });
  const unlabelled = join(root, 'unlabelled');
  mkdirSync(unlabelled);
  writeFileSync(join(unlabelled, 'a-images-idx3-ubyte'), idx([20, 8, 8], new Uint8Array(1280)));
  const run = (change: Partial<FeaturesOptions>) =>
    featuresCommand({ ...options, out: other, ...change }, recorded().output);
  await assert.rejects(run({ data: unlabelled }), { kind: 'data', message: /unlabelled has no labels/ });
  await assert.rejects(run({ size: 20 }), { kind: 'usage', message: /--size 20 is no multiple of 8/ });
  await assert.rejects(run({ size: 8 }), { kind: 'data', message: /12 x 12 cannot be padded to 8 x 8/ });
  await assert.rejects(run({ data: halves('few', 9) }), { kind: 'data', message: /only 9 pictures/ });
});

test('a picture is moved with its border behind it', () => {
  const image = { shape: [1, 1, 3, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]) };
  assert.deepEqual([...shifted(image, [1, 0]).data], [1, 2, 3, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...shifted(image, [0, -1]).data], [2, 3, 3, 5, 6, 6, 8, 9, 9]);
});

test('the network that comes with the package reads the garments of the walkthrough, real ones of the test set', async () => {
  const file = await readFeatures('fashion-mnist');
  assert.equal(file.about.of, 10_000);
  assert.ok(file.about.right >= 9100, `${file.about.right} of 10,000`);
  const svg = readFileSync(new URL('../../media/walkthrough/data.svg', import.meta.url), 'utf8');
  const pictures = [...svg.matchAll(/base64,([^"]+)"/g)].map(
    ([, text]) => decodePng(Buffer.from(text!, 'base64')).data,
  );
  const real = pictures.slice(0, 6);
  const engine = await openDevice('cpu', 1);
  const network = await openFeatures(engine, file);
  const data = Float32Array.from(real.flatMap((picture) => [...picture]));
  const [boot, trousers, shirt, bag, sneaker, dress] = [9, 1, 0, 8, 7, 3];
  assert.deepEqual(
    [...(await network.classes({ shape: [6, 1, 32, 32], data }))],
    [boot, trousers, shirt, bag, sneaker, dress],
  );
  await network.dispose();
  await engine.dispose();
});
