/** What a run leaves in its folder, and that recording never changes what is trained. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { decodePng } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { batchTags, gradientTags, sampleTags, stateTags } from '../../backend/health/tags.ts';
import { loadTeacher } from '../../backend/models/teacher.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { listCheckpoints } from '../../backend/runs/checkpoints/checkpoints.ts';
import { type History, readHistory } from '../../backend/runs/events/history.ts';
import { listFields, readFields } from '../../backend/runs/fields/fields.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { curves, distillConfig, runHere, scratch, stateBytes, teachConfig, tinyTeacher } from './training/tiny.ts';

const vitals = Object.values({ ...batchTags, ...sampleTags, ...gradientTags, ...stateTags }).sort();

test('a distillation with every recording is bit-equal to one without, and everything is there', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const plain = await runHere({ config: distillConfig(teacher), root });
  const record = {
    ...{ samplesEvery: 2, samples: 5, fieldsEvery: 3, probeEvery: 2, histogramsEvery: 4, healthEvery: 1 },
    probe: { count: 3, levels: [50, 400] },
  };
  const checkpoint = { every: 2, keep: 1, keepEvery: 4 };
  const rich = await runHere({ config: distillConfig(teacher, { record, checkpoint }), root });
  assert.ok(rich.last.type === 'ended' && rich.last.state === 'finished', JSON.stringify(rich.last));
  assert.deepEqual(stateBytes(rich.folder, 6), stateBytes(plain.folder, 6));
  const plainCurves = curves(plain.folder);
  for (const [tag, points] of plainCurves) assert.deepEqual(curves(rich.folder).get(tag), points, tag);

  const paths = runPaths(rich.folder);
  const { history } = readHistory(paths.events);
  assert.deepEqual(history.tags('scalar'), [
    'gradient/mean',
    'lambda',
    'level/first',
    'level/last',
    'loss/fake',
    'loss/matching',
    'loss/regression',
    'memory/resident MB',
    'norm/fake',
    'norm/generator',
    'probe/cosine/400',
    'probe/cosine/50',
    'probe/residual/400',
    'probe/residual/50',
    'rate/fake',
    'rate/generator',
    'residual/fake',
    'residual/real',
    'speed/images per second',
    'speed/processors in use',
    ...vitals,
  ]);
  const stepsOf = (kind: 'scalar' | 'image' | 'histogram', tag: string) =>
    history.points(kind, tag).map(({ step }) => step);
  assert.deepEqual(stepsOf('scalar', 'loss/matching'), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(stepsOf('scalar', 'probe/cosine/50'), [0, 2, 4, 6]);
  assert.deepEqual(stepsOf('scalar', 'vitals/lag'), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(stepsOf('scalar', 'vitals/fresh-fake'), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(stepsOf('scalar', 'vitals/gradient-noise'), [4]);
  assert.deepEqual(stepsOf('image', 'samples'), [0, 2, 4, 6]);
  assert.deepEqual(history.tags('histogram'), [
    'field/grad',
    'gradients/fake',
    'gradients/generator',
    'weights/fake',
    'weights/generator',
  ]);
  assert.deepEqual(stepsOf('histogram', 'weights/fake'), [0, 4, 6]);
  assert.deepEqual(stepsOf('histogram', 'field/grad'), [4, 6]);
  for (const network of ['generator', 'fake']) assertGradientsHaveTheirNorm(history, network, [4, 6]);

  assert.deepEqual(
    listFields(paths.fields, 'training').map(({ step }) => step),
    [3, 6],
  );
  assert.deepEqual(
    listFields(paths.fields, 'probe').map(({ step }) => step),
    [0, 2, 4, 6],
  );
  const { tensors } = readFields(paths.fields, 'training', 3);
  assert.deepEqual([...tensors.keys()].sort(), ['grad', 'labels', 'muFake', 'muReal', 'sigma', 'x', 'xt', 'z']);
  assert.deepEqual(tensors.get('grad')!.shape, [2, 3, 8, 8]);
  const probe = readFields(paths.fields, 'probe', 4);
  assert.deepEqual(probe.metadata.levels, '[50,400]');
  assert.deepEqual(probe.tensors.get('muFake')!.shape, [2, 3, 3, 8, 8]);
  assert.deepEqual(probe.tensors.get('z'), readFields(paths.fields, 'probe', 0).tensors.get('z'));

  const picture = fs.readFileSync(path.join(paths.samples, 'step-00000004.png'));
  assert.deepEqual(decodePng(picture).shape, [3, 2 * 10 - 2, 3 * 10 - 2]);
  assert.deepEqual(readPngText(picture), { Run: readRun(rich.folder).info!.name, Seed: '11', Step: '4' });
  assert.deepEqual(
    listCheckpoints(paths.checkpoints).map(({ step }) => step),
    [6, 4],
  );
});

test('the final weights are the average, and say what they are; the file is a teacher for the next run', async () => {
  const root = scratch();
  const { folder, last } = await runHere({ config: distillConfig(await tinyTeacher(root)), root });
  assert.ok(last.type === 'ended');
  const [file] = last.files;
  assert.equal(file, path.join(folder, 'generator.safetensors'));
  const { metadata } = await readSafetensors(file);
  assert.equal(metadata['dmd.role'], 'generator');
  assert.equal(metadata['dmd.generatorSigma'], '80');
  const { tensors, config } = await loadWeights(file);
  const { layout } = createNetwork(config);
  const state = (
    await readSafetensors(path.join(runPaths(folder).checkpoints, 'step-00000006', 'generator.safetensors'))
  ).tensors;
  const average = state.get('ema')!.data;
  for (const { name, offset } of layout.entries) {
    const { data } = tensors.get(name)!;
    assert.deepEqual([...data], [...average.subarray(offset, offset + data.length)], name);
  }
  assert.notDeepEqual([...average.slice(0, 9)], [...state.get('parameters')!.data.slice(0, 9)]);
  assert.equal((await loadTeacher(file)).network.layout.size, layout.size);
});

/** The histogram of a network's gradient is of the numbers whose norm was recorded in the same iteration. */
function assertGradientsHaveTheirNorm(history: History, network: string, steps: number[]): void {
  const norms = new Map(history.points('scalar', `norm/${network}`).map(({ step, value }) => [step, value]));
  const found = history.points('histogram', `gradients/${network}`);
  assert.deepEqual(
    found.map(({ step }) => step),
    steps,
  );
  for (const { step, value } of found) {
    const norm = norms.get(step)!.value;
    assert.ok(Math.abs(Math.sqrt(value.histogram.sumSquares) - norm) < 1e-4 * norm, `${network}, step ${step}`);
  }
}

test('a teacher run records loss, samples and histograms, and ends with a teacher', async () => {
  const root = scratch();
  const record = { samplesEvery: 6, samples: 4, sampleSteps: 2, histogramsEvery: 3 };
  const config = teachConfig({ record, data: { mirror: true } });
  const { folder, last } = await runHere({ config, root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const { history } = readHistory(runPaths(folder).events);
  assert.equal(history.points('scalar', 'loss/teacher').length, 6);
  assert.deepEqual(
    history.points('image', 'samples').map(({ step }) => step),
    [0, 6],
  );
  assert.deepEqual(
    history.points('histogram', 'weights/teacher').map(({ step }) => step),
    [0, 3, 6],
  );
  assertGradientsHaveTheirNorm(history, 'teacher', [3, 6]);
  assert.equal((await loadTeacher(path.join(folder, 'teacher.safetensors'))).network.labelDim, 10);
});

test('pairs that a folder holds already are used, and not made again', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const first = await runHere({ config: distillConfig(teacher), root });
  const pairs = path.join(first.folder, 'pairs');
  const second = await runHere({
    config: distillConfig(teacher, { regression: { pairs: { path: pairs, count: 6 } } }),
    root,
  });
  assert.ok(!second.messages.some((message) => message.type === 'work'), 'none were made');
  const { 'state.json': _, ...numbers } = stateBytes(second.folder, 6);
  const { 'state.json': __, ...same } = stateBytes(first.folder, 6);
  assert.deepEqual(numbers, same);
  const inputsOf = (folder: string) => Object.keys(readRun(folder).info!.inputs);
  assert.deepEqual(
    [first, second].map(({ folder }) => inputsOf(folder)),
    [['teacher'], ['teacher', 'regression.pairs.path']],
  );
});

test('recomputed blocks: the same run, within rounding, of a distillation and of a teacher', async () => {
  const root = scratch();
  const change = { iterations: 2, network: { num_blocks: 2, attn_resolutions: [8] } };
  const { network, ...rest } = change;
  const teacher = await tinyTeacher(root, network);
  for (const made of [
    (more: object) => distillConfig(teacher, { ...rest, ...more }),
    (more: object) => teachConfig({ ...change, ...more }),
  ]) {
    const [kept, again] = [
      await runHere({ config: made({}), root }),
      await runHere({ config: made({ recompute: 'blocks' }), root }),
    ];
    for (const { last } of [kept, again]) assert.ok(last.type === 'ended', JSON.stringify(last));
    for (const [step, scalars] of kept.scalars) {
      for (const [tag, value] of Object.entries(scalars)) {
        const other = again.scalars.get(step)![tag]!;
        assert.ok(Math.abs(other - value) <= 1e-4 * Math.abs(value) + 1e-6, `${tag} at ${step}: ${other}, ${value}`);
      }
    }
  }
});

test('the ablations train with one loss each', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const none = await runHere({ config: distillConfig(teacher, { matching: { enabled: false }, iterations: 2 }), root });
  const numbers = none.scalars.get(2)!;
  assert.ok(numbers['loss/matching'] === 0 && numbers['loss/regression'] > 0 && !('loss/fake' in numbers));
  const alone = await runHere({
    config: distillConfig(teacher, { regression: { enabled: false }, labels: 'none', iterations: 3 }),
    root,
  });
  assert.ok(alone.scalars.get(3)!['loss/matching'] > 0 && alone.scalars.get(3)!['loss/regression'] === 0);
  assert.ok(!fs.existsSync(path.join(alone.folder, 'pairs')));
});
