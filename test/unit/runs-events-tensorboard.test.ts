import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { encodePng } from '../../backend/data/png.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { histogramOf } from '../../backend/runs/events/histogram.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { uniform } from '../random.ts';

/** DMD_TEST_PYTHON (a Python, or a virtual environment's folder), else python3; the first that has TensorBoard. */
function pythonWithTensorBoard(): string | undefined {
  const named = process.env.DMD_TEST_PYTHON;
  const candidates = named ? [path.join(named, 'bin', 'python3'), named, 'python3'] : ['python3'];
  return candidates.find((python) => spawnSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' }).status === 0);
}

test("TensorBoard's own reader finds what was written, and the resumed steps only once", (t) => {
  const python = pythonWithTensorBoard();
  if (!python) return t.skip('no Python with TensorBoard (pip install tensorboard, or set DMD_TEST_PYTHON)');

  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-tensorboard-'));
  const picture = encodePng(tensorData([1, 3, 4], Float32Array.from({ length: 12 }, uniform)));
  const values = Float32Array.from({ length: 300 }, () => (uniform() - 0.5) * 10 ** (uniform() * 9 - 6));
  const first = openEventWriter(folder);
  for (const step of [1, 2, 3, 4]) first.add(step, { scalars: { 'loss/dm': step / 4, 'loss/old': step } });
  first.add(2, { images: { samples: picture }, histograms: { grad: values }, texts: { config: 'ä **b**' } });
  first.close();
  const second = openEventWriter(folder, { restartAt: 3 });
  for (const step of [3, 4, 5]) second.add(step, { scalars: { 'loss/dm': -step } });
  second.close();

  const reader = path.resolve('test/golden/record/tensorboard_read.py');
  const found = JSON.parse(
    execFileSync(python, [reader, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  assert.deepEqual(found.scalars, {
    'loss/dm': [
      [1, 0.25],
      [2, 0.5],
      [3, -3],
      [4, -4],
      [5, -5],
    ],
    'loss/old': [
      [1, 1],
      [2, 2],
    ],
  });
  assert.deepEqual(found.images, { samples: [[2, 4, 3, Buffer.from(picture).toString('hex')]] });
  assert.deepEqual(found.histograms, { grad: [[2, histogramOf(values)]] });
  assert.deepEqual(found.texts, { config: [[2, 'ä **b**']] });
});
