/** Teaching from a person's data: what does not go together is said before a run begins, and a resumed run finds the same data. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { encodePng } from '../../backend/data/png.ts';
import type { ErrorKind } from '../../backend/protocol/errors.ts';
import { idx } from '../idx.ts';
import { randomBelow } from '../random.ts';
import { type RunResult, runHere, scratch, teachConfig } from './training/tiny.ts';

function assertFailed({ last }: RunResult, kind: ErrorKind, pattern: RegExp): void {
  assert.ok(last.type === 'failed', JSON.stringify(last));
  assert.equal(last.error.kind, kind, last.error.stack);
  assert.match(`${last.error.message} ${last.error.hint}`, pattern);
}

/** A folder of IDX files: gray pictures of 6 x 6 in three classes. */
function garments(root: string, count = 9): string {
  const folder = path.join(root, 'garments');
  fs.mkdirSync(folder, { recursive: true });
  const pixels = Uint8Array.from({ length: count * 36 }, () => randomBelow(256));
  fs.writeFileSync(path.join(folder, 'train-images-idx3-ubyte'), idx([count, 6, 6], pixels));
  const classes = Uint8Array.from({ length: count }, (_, i) => i % 3);
  fs.writeFileSync(path.join(folder, 'train-labels-idx1-ubyte'), idx([count], classes));
  return folder;
}

test('IDX files teach a network of another size and of colours, and must be the same when the run goes on', async () => {
  const root = scratch();
  const folder = garments(root);
  const source = path.join(folder, 'train-images-idx3-ubyte');
  const config = teachConfig({ data: { source, fit: 'pad' }, network: { label_dim: 3 } });
  const begun = await runHere({ config, root }, { until: 2 });
  assert.ok(begun.last.type === 'ended' && begun.last.state === 'stopped', JSON.stringify(begun.last));
  const { inputs } = JSON.parse(fs.readFileSync(path.join(begun.folder, 'run.json'), 'utf8'));
  assert.deepEqual(Object.keys(inputs), ['data.source', 'data.source (labels)']);
  const labels = path.join(folder, 'train-labels-idx1-ubyte');
  const whole = fs.readFileSync(labels);
  fs.writeFileSync(
    labels,
    idx(
      [9],
      Uint8Array.from({ length: 9 }, (_, i) => (i + 1) % 3),
    ),
  );
  assertFailed(
    await runHere({ folder: begun.folder }),
    'data',
    /train-labels-idx1-ubyte is not the data\.source \(labels\)/,
  );
  fs.writeFileSync(labels, whole);
  const { last } = await runHere({ folder: begun.folder });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
});

test('pictures of another size or without labels, and a single one, are refused with what to do', async () => {
  const root = scratch();
  const teach = (data: object, network: object = {}) =>
    runHere({ config: teachConfig({ data, network: { label_dim: 3, ...network } }), root });
  const source = garments(root);
  assertFailed(await teach({ source }), 'config', /images are 6 x 6 with 1 channels.*set data\.fit to pad or resize/);
  assertFailed(await teach({ source, fit: 'pad' }, { img_resolution: 4 }), 'data', /6 x 6 cannot be padded to 4 x 4/);
  const gray = { source, fit: 'pad', useLabels: false };
  assertFailed(await teach(gray), 'config', /label_dim is 3, but .*garments is used without classes/);
  const pictures = path.join(root, 'pictures');
  fs.mkdirSync(path.join(pictures, 'boots'), { recursive: true });
  const picture = encodePng({ shape: [3, 8, 8], data: new Float32Array(192) });
  fs.writeFileSync(path.join(pictures, 'boots', 'a.png'), picture);
  const one = { source: pictures };
  assertFailed(await teach(one, { label_dim: 0 }), 'data', /is a single picture.*set data\.count to 1/);
  fs.writeFileSync(path.join(pictures, 'boots', 'b.png'), picture);
  assertFailed(await teach(one), 'config', /has no labels.*dmd data pack takes their classes from folders/);
  fs.writeFileSync(path.join(pictures, 'boots', 'c.jpg'), 'x');
  assertFailed(await teach(one), 'data', /c\.jpg is not a PNG.*dmd data pack/);
  const runs = fs.readdirSync(root).filter((name) => !['garments', 'pictures'].includes(name));
  assert.deepEqual(runs, []);
});
