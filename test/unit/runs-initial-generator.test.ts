/** A generator that a run begins with in the teacher's place, whatever the method. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { methodOf } from '../../backend/methods/index.ts';
import { loadTeacher } from '../../backend/models/teacher.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { distillConfig, runHere, scratch, tinyTeacher } from './training/tiny.ts';

const root = scratch();
const teacher = await tinyTeacher(root);
const begun = await runHere({ config: distillConfig(teacher), root });
const initial = path.join(begun.folder, 'generator.safetensors');

const numbers = async (file: string) => {
  const { tensors } = await loadWeights(file);
  return new Map([...tensors].map(([name, { data }]) => [name, [...data]]));
};

/** The generator stays as it is, so that what it began with is what the run ends with. */
const still = { iterations: 2, generator: { initial, rest: 2, ema: 0 } };

test('the generator begins with the weights of the file, in DMD and in other methods', async () => {
  const before = await numbers(initial);
  assert.notDeepEqual(before, await numbers(teacher));
  const dmd = await runHere({ config: distillConfig(teacher, still), root });
  assert.ok(dmd.last.type === 'ended' && dmd.last.state === 'finished', JSON.stringify(dmd.last));
  assert.deepEqual(await numbers(path.join(dmd.folder, 'generator.safetensors')), before);
  const { text: _, regression: __, ...own } = distillConfig(teacher, still) as Record<string, unknown>;
  const { kind, name, seed, device, threads, iterations, batch } = own;
  const config = parseConfig(
    JSON.stringify({
      ...{ kind, method: 'diff-instruct', name, seed, device, threads, teacher, iterations, batch },
      ...{ generator: still.generator, record: { samplesEvery: 0, probeEvery: 0, fieldsEvery: 0, healthEvery: 0 } },
    }),
    'tiny',
  );
  const other = await runHere({ config, root });
  assert.ok(other.last.type === 'ended' && other.last.state === 'finished', JSON.stringify(other.last));
  assert.deepEqual(await numbers(path.join(other.folder, 'generator.safetensors')), before);
});

test('another file in its place is refused at a resume', async () => {
  const file = path.join(root, 'initial.safetensors');
  fs.copyFileSync(initial, file);
  const config = distillConfig(teacher, { generator: { initial: file } });
  const stopped = await runHere({ config, root }, { until: 2 });
  fs.copyFileSync(teacher, file);
  const { last } = await runHere({ folder: stopped.folder });
  assert.ok(last.type === 'failed', JSON.stringify(last));
  assert.match(last.error.message, /generator\.initial/);
});

test('what cannot be begun with is named by its key, in the editor as at the start', async () => {
  const folder = scratch();
  const wider = await tinyTeacher(folder, { model_channels: 16 });
  for (const [file, pattern] of [
    [wider, /generator\.initial: .* is of another network: '[\w.]+' is \[.*\] there and \[.*\] here/],
    [path.join(folder, 'none.safetensors'), /none\.safetensors/],
    ['builtin:scenes-text', /generator\.initial: builtin:scenes-text is a text-to-image model/],
  ] as const) {
    const config = distillConfig(teacher, { generator: { initial: file } });
    const { last } = await runHere({ config, root });
    assert.ok(last.type === 'failed', JSON.stringify(last));
    assert.match(last.error.message, pattern);
    assert.ok(config.kind === 'distill');
    const [found] = await methodOf(config).findings(config, loadTeacher);
    assert.equal(found?.key, 'generator.initial');
    assert.match(found.message, pattern);
  }
});
