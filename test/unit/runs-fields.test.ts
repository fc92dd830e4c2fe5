import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { listFields, readFields, recordFields, removeFieldsAfter } from '../../backend/runs/fields/fields.ts';
import { parseRanges, rangesOf } from '../../backend/runs/fields/ranges.ts';
import { type Recorded, stepsToDrop } from '../../backend/runs/fields/thin.ts';
import { uniform } from '../random.ts';

function scratch(): string {
  return path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-fields-')), 'fields');
}

function fields(): Map<string, TensorData> {
  const numbers = () => Float32Array.from({ length: 2 * 3 * 5 * 7 }, () => (uniform() - 0.5) * 100);
  return new Map(['x', 'grad'].map((name) => [name, tensorData([2, 3, 5, 7], numbers())]));
}

const steps = (folder: string) => listFields(folder, 'probe').map(({ step }) => step);

test('fields come back as recorded, kinds apart, the folder is the index', () => {
  const folder = scratch();
  assert.deepEqual(listFields(folder, 'probe'), []);
  const saved = fields();
  recordFields(folder, 'probe', 200, saved, { metadata: { levels: '[100, 300]' } });
  recordFields(folder, 'probe', 0, fields());
  recordFields(folder, 'training', 7, fields());
  assert.deepEqual(steps(folder), [0, 200]);
  const { tensors, metadata } = readFields(folder, 'probe', 200);
  assert.deepEqual(tensors, saved);
  const { ranges, ...written } = metadata;
  assert.deepEqual(written, { kind: 'probe', step: '200', levels: '[100, 300]' });
  assert.deepEqual(parseRanges(ranges), rangesOf('probe', saved));
  const [entry] = listFields(folder, 'training');
  assert.equal(entry?.bytes, fs.statSync(path.join(folder, 'training', 'step-00000007.safetensors')).size);

  const again = fields();
  recordFields(folder, 'probe', 200, again);
  assert.deepEqual(readFields(folder, 'probe', 200).tensors, again);
  assert.deepEqual(removeFieldsAfter(folder, 6).sort(), [200, 7]);
  assert.deepEqual(steps(folder), [0]);
});

test('a step that is not there and a damaged file are errors that name the file', () => {
  const folder = scratch();
  const { path: file } = recordFields(folder, 'probe', 5, fields());
  assert.throws(() => readFields(folder, 'probe', 6), { name: 'UserError', kind: 'io', message: /step-00000006/ });
  fs.truncateSync(file, 300);
  assert.throws(
    () => readFields(folder, 'probe', 5),
    (error: Error) => error.name === 'UserError' && error.message.includes(file),
  );
});

test('float16 is half the size, keeps 3 digits, and leaves what it cannot hold as float32', () => {
  const folder = scratch();
  const saved = fields();
  saved.set('large', tensorData([2], Float32Array.of(1e6, 0.1)));
  saved.set('broken', tensorData([2], Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY)));
  const wide = recordFields(folder, 'training', 1, saved);
  const narrow = recordFields(folder, 'probe', 1, saved, { dtype: 'F16' });
  assert.ok(fs.statSync(narrow.path).size < 0.65 * fs.statSync(wide.path).size);
  const { tensors } = readFields(folder, 'probe', 1);
  assert.deepEqual(tensors.get('large'), saved.get('large'));
  assert.deepEqual(tensors.get('broken'), saved.get('broken'));
  for (const name of ['x', 'grad']) {
    const [got, want] = [tensors.get(name)!.data, saved.get(name)!.data];
    got.forEach((value, i) => {
      assert.ok(Math.abs(value - want[i]!) <= 1e-3 * Math.abs(want[i]!));
    });
  }
});

test('the budget holds at every step, the first and the newest stay', () => {
  const folder = scratch();
  const size = fs.statSync(recordFields(folder, 'training', 0, fields()).path).size;
  const budgetBytes = Math.floor(size * 6.5);
  for (let step = 0; step <= 3000; step += 100) {
    const { overBudget } = recordFields(folder, 'probe', step, fields(), { budgetBytes });
    assert.equal(overBudget, false);
    const entries = listFields(folder, 'probe');
    assert.ok(entries.reduce((sum, { bytes }) => sum + bytes, 0) <= budgetBytes);
    assert.equal(entries.at(-1)?.step, step);
    assert.equal(entries[0]?.step, 0);
    assert.ok(entries.length === Math.min(6, step / 100 + 1));
  }
  const tiny = recordFields(folder, 'probe', 3100, fields(), { budgetBytes: 10 });
  assert.equal(tiny.overBudget, true);
  assert.deepEqual(steps(folder), [3100]);
});

/** Records `all` one after the other with room for `room` steps. */
function thinned(all: number[], room: number): number[] {
  return all
    .reduce<Recorded[]>((kept, step) => {
      const dropped = stepsToDrop(kept, { step, bytes: 1 }, room);
      return [...kept.filter((entry) => !dropped.includes(entry.step)), { step, bytes: 1 }];
    }, [])
    .map(({ step }) => step);
}

test('what is left is spread evenly', () => {
  const every = (distance: number, count: number) => Array.from({ length: count }, (_, i) => i * distance);
  assert.deepEqual(thinned(every(100, 9), 5), [0, 200, 400, 600, 800]);
  assert.deepEqual(thinned(every(50, 17), 5), [0, 200, 400, 600, 800]);
  for (const [distance, count, room] of [
    [100, 200, 12],
    [7, 1000, 20],
    [1, 333, 9],
  ] as const) {
    const left = thinned(every(distance, count), room);
    assert.equal(left.length, room);
    const gaps = left.slice(1).map((step, i) => step - left[i]!);
    const even = (distance * (count - 1)) / (room - 1);
    // All but the newest gap, which is still growing.
    assert.ok(Math.max(...gaps) <= 2.5 * even, `${left}`);
    assert.ok(Math.min(...gaps.slice(0, -1)) >= 0.4 * even, `${left}`);
  }
});

test('a run that went back protects the step just recorded, not the last one', () => {
  const before = [0, 100, 200].map((step) => ({ step, bytes: 1 }));
  assert.deepEqual(stepsToDrop(before, { step: 150, bytes: 1 }, 3), [100]);
  assert.deepEqual(stepsToDrop(before, { step: 150, bytes: 1 }, 2), [100, 200]);
  assert.deepEqual(stepsToDrop(before, { step: 150, bytes: 1 }, 1), [100, 200, 0]);
  assert.deepEqual(stepsToDrop(before, { step: 150, bytes: 1 }, 0), [100, 200, 0]);
  assert.deepEqual(stepsToDrop([], { step: 1, bytes: 9 }, 3), []);
});

test('the range of a step is that of its finite numbers, over all and level by level', () => {
  const shape = [2, 1, 1, 20, 20];
  const numbers = (size: number) =>
    Float32Array.from({ length: 800 }, (_, i) => (i < 400 ? size : 10 * size) * uniform());
  const [real, fake, grad] = [numbers(1), numbers(1), numbers(0.5)];
  // One wild number in two hundred and one that is none do not say where colours end.
  [grad[3], grad[7]] = [1e6, Number.NaN];
  const { difference, grad: ofGrad } = rangesOf(
    'probe',
    new Map([
      ['muReal', tensorData(shape, real)],
      ['muFake', tensorData(shape, fake)],
      ['grad', tensorData(shape, grad)],
      ['sigma', tensorData([2], Float32Array.of(1, 2))],
    ]),
  );
  const plain = Float32Array.from(real, (value, i) => Math.abs(value - fake[i]!));
  assert.equal(difference!.max, Math.max(...plain));
  assert.deepEqual(
    difference!.levels.map(({ max }) => max),
    [plain.slice(0, 400), plain.slice(400)].map((of) => Math.max(...of)),
  );
  assert.equal(ofGrad!.max, 1e6);
  assert.ok(ofGrad!.quantile <= 5 && ofGrad!.levels[0]!.quantile <= 0.5, JSON.stringify(ofGrad));
  assert.deepEqual(rangesOf('training', new Map()), { difference: null, grad: null });
  assert.deepEqual(rangesOf('training', new Map([['grad', tensorData(shape, grad)]])).grad!.levels, []);
  for (const nonsense of [undefined, '', '{', '7', '{"grad": {"max": -1}}'])
    assert.equal(parseRanges(nonsense), undefined);
});
