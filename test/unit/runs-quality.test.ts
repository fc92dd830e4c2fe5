/** Quality over steps, by each average of the weights; and a checkpoint's average written as a model. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { exportCommand } from '../../backend/cli/export/export.ts';
import type { ExportOptions } from '../../backend/cli/export/options.ts';
import { decodePng, encodePng } from '../../backend/data/png.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { openFeatures, readFeatures, writeFeatures } from '../../backend/evaluate/features-file.ts';
import { inferenceGraph } from '../../backend/export/inference-graph.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { featureCount, featureLayout } from '../../backend/metrics/feature-network.ts';
import { FeatureAccumulator } from '../../backend/metrics/feature-statistics.ts';
import { frechetDistance } from '../../backend/metrics/frechet.ts';
import { openModel } from '../../backend/models/model-file.ts';
import type { UserError } from '../../backend/protocol/errors.ts';
import { stream } from '../../backend/random/stream.ts';
import { uniform } from '../random.ts';
import { curves, distillConfig, labelDim, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

const shape = [3, 8, 8] as const;
const count = 21;
const size = 3 * 8 * 8;

const root = scratch();
const teacher = await tinyTeacher(root);
const features = path.join(root, 'features.safetensors');
const layout = featureLayout({ shape, classes: labelDim, attributes: 0 });
const weights = unpackParameters(layout, initialParameters(layout, stream(uniform(), 'features')));
const about = { name: 'dots', shape: [...shape] as [number, number, number], classes: labelDim, fit: 'pad' as const };
await writeFeatures(features, { about: { ...about, right: 1, of: 2 }, weights }, {});

const reference = path.join(root, 'real');
fs.mkdirSync(reference);
for (let i = 0; i < count; i++) {
  const image = { shape: [...shape], data: Float32Array.from({ length: size }, () => 2 * uniform() - 1) };
  fs.writeFileSync(path.join(reference, `${i}.png`), encodePng(image));
}

const quality = { every: 2, count, features, reference };
const averages = [0.9, 0.05];
const changes = { generator: { ema: averages }, checkpoint: { every: 2, keep: 9 } };

/** The pictures that a generator's file makes of the run's noise, told apart by the classes in turn. */
async function picturesOf(file: string): Promise<TensorData> {
  const engine = await openDevice('cpu', 1);
  const program = await engine.compile(inferenceGraph(await openModel(file), count));
  const z = new Float32Array(count * size);
  const labels = new Float32Array(count * labelDim);
  for (let i = 0; i < count; i++) {
    z.set(stream(11, 'pictures', i, 'z').randn(size), i * size);
    labels[i * labelDim + (i % labelDim)] = 1;
  }
  const feeds = { z: { shape: [count, ...shape], data: z }, labels: { shape: [count, labelDim], data: labels } };
  const { image } = await program.run(feeds);
  const data = (await image!.read()).slice();
  await engine.dispose();
  return { shape: [count, ...shape], data };
}

async function distanceOf(images: TensorData): Promise<{ distance: number; right: number }> {
  const engine = await openDevice('cpu', 1);
  const network = await openFeatures(engine, await readFeatures(features));
  const statistics = async (of: TensorData) => {
    const accumulator = new FeatureAccumulator();
    accumulator.add({ shape: [count, featureCount], data: await network.features(of) });
    return accumulator.statistics();
  };
  const real = new Float32Array(count * size);
  const names = fs.readdirSync(reference).sort();
  for (const [i, name] of names.entries())
    real.set(decodePng(fs.readFileSync(path.join(reference, name))).data, i * size);
  const distance = frechetDistance(await statistics(images), await statistics({ shape: images.shape, data: real }));
  const read = await network.classes(images);
  await engine.dispose();
  return { distance, right: read.filter((found, i) => found === i % labelDim).length / count };
}

const said: string[] = [];
const output = { json: false, line: (text = '') => void said.push(text), event: () => {} };
const exported = (run: string, options: Partial<ExportOptions>) => exportCommand(run, { batch: 1, ...options }, output);

test('each average is measured at its steps, as its exported file measures; training is what it is without', async () => {
  const plain = await runHere({ config: distillConfig(teacher, changes), root });
  const run = await runHere({ config: distillConfig(teacher, { ...changes, record: { quality } }), root });
  assert.ok(run.last.type === 'ended' && run.last.state === 'finished', JSON.stringify(run.last));
  assert.deepEqual(stateBytes(run.folder, 6), stateBytes(plain.folder, 6));
  const found = curves(run.folder);
  for (const [average, step] of [
    [0.9, 6],
    [0.05, 6],
    [0.05, 2],
  ] as const) {
    const points = found.get(`quality/fd of ema ${average}`)!;
    assert.deepEqual(
      points.map(([at]) => at),
      [0, 2, 4, 6],
    );
    const out = path.join(root, `${average}-${step}.safetensors`);
    assert.equal(await exported(run.folder, { step, ema: average, format: 'model', out }), 0);
    const { distance, right } = await distanceOf(await picturesOf(out));
    const at = (tag: string) => new Map(found.get(`${tag} of ema ${average}`)).get(step)!;
    assert.ok(Math.abs(at('quality/fd') - distance) < 1e-3 * distance, `${at('quality/fd')}, ${distance}`);
    assert.ok(Math.abs(at('quality/right') - right) < 1e-6, `${at('quality/right')}, ${right}`);
  }
  assert.notEqual(
    new Map(found.get('quality/fd of ema 0.9')).get(6),
    new Map(found.get('quality/fd of ema 0.05')).get(6),
  );
  // What the run ends with is the first average of its last step, and the others beside it.
  const last = await openModel(path.join(run.folder, 'generator-ema-0.05.safetensors'));
  const own = await openModel(path.join(root, '0.05-6.safetensors'));
  for (const [name, { data }] of last.weights) assert.deepEqual(own.weights.get(name)?.data, data, name);
  assert.equal(own.metadata['dmd.step'], last.metadata['dmd.step']);
  // As ONNX, checked by running it.
  const onnx = path.join(root, 'best.onnx');
  assert.equal(await exported(run.folder, { ema: 0.05, out: onnx }), 0);
  assert.ok(fs.statSync(onnx).size > 1000);
  assert.match(said.join('\n'), /the generator of step 6, EMA 0\.05\n.*best\.onnx: .*z \[1, 3, 8, 8\]/s);

  const refused = (options: Partial<ExportOptions>, pattern: RegExp, name = run.folder) =>
    assert.rejects(exported(name, options), (error: UserError) => pattern.test(`${error.message} ${error.hint}`));
  await refused({ ema: 0.99 }, /keeps no average of decay 0\.99 It keeps 0\.9, 0\.05/);
  await refused({ step: 3 }, /no checkpoint of step 3 There are those of: 6, 4, 2/);
  await refused({ format: 'model', out: path.join(root, '0.05-6.safetensors') }, /is there already/);
  await refused({ ema: 0.9 }, /is one model.* Give the folder of a run/, teacher);
});

test('a stop does not wait for a measurement, and nothing of it is recorded', async () => {
  const config = distillConfig(teacher, { record: { quality: { ...quality, every: 1, count: 200 } } });
  let pictures = 0;
  const run = await runHere(
    { config, root },
    {
      onMessage(message, control) {
        if (message.type !== 'work' || message.label !== 'quality') return;
        pictures = Math.max(pictures, message.done);
        if (message.done > 0) control.stop();
      },
    },
  );
  assert.ok(run.last.type === 'ended' && run.last.state === 'stopped' && run.last.step === 0, JSON.stringify(run.last));
  assert.ok(pictures > 0 && pictures < 200, `${pictures}`);
  assert.equal(curves(run.folder).has('quality/fd of ema 0.9'), false);
});

test('what cannot be measured is said before anything is trained', async () => {
  for (const [change, pattern] of [
    [{ features: 'scenes', reference: undefined }, /nothing to compare.*record\.quality\.reference/],
    [{ features: teacher }, /is not a feature network/],
    [{ reference: path.join(root, 'none') }, /none/],
  ] as const) {
    const config = distillConfig(teacher, { record: { quality: { ...quality, ...change } } });
    const { last, scalars } = await runHere({ config, root });
    assert.ok(last.type === 'failed', JSON.stringify(last));
    assert.match(`${last.error.message} ${last.error.hint}`, pattern);
    assert.equal(scalars.size, 0);
  }
});
