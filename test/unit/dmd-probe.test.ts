/** The probe against numbers worked out here, on networks and inputs drawn anew. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openDevice } from '../../backend/engine/open.ts';
import { compare, Probe, type ProbeOptions } from '../../backend/methods/dmd/probe.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { uniform } from '../random.ts';
import { edmShape } from './training/edm-distillation.ts';
import { tinyNetwork } from './training/tiny.ts';

const engine = await openDevice('cpu', 1);
after(() => engine.dispose());
const network = createNetwork({ ...tinyNetwork, img_resolution: 4, img_channels: 1 });
const numbers = 16;

function parameters(name: string) {
  const { size } = network.layout;
  const data = stream(uniform(), name)
    .randn(size)
    .map((value) => 0.1 * value);
  return [engine.upload({ shape: [size], data })];
}

const sigmas = [0.1, 2, 30];
const options: ProbeOptions = { seed: 4, count: 5, levels: [0, 1, 2] };
const conditions = classConditions(network.labelDim);
const open = (realOnly = false) =>
  Probe.create(
    engine,
    edmShape({
      ...{ network, sigmas, generatorSigma: 3, batch: 1, regression: null },
      matching: { weight: 'eq8', realOnly },
    }),
    conditions,
    options,
  );

test('direction cosine and residual ratio, per image', () => {
  const x = Float32Array.of(1, 2, 0, 0, 7, 7);
  const muReal = Float32Array.of(2, 2, 0, 3, 7, 7);
  const muFake = Float32Array.of(1, 4, 0, -1, 8, 7);
  const { cosine, residualRatio } = compare(x, muReal, muFake, 3);
  assert.deepEqual(cosine, [0, -1, 0], 'at right angles; opposite; no direction');
  assert.deepEqual(residualRatio, [0.5, 3, 0]);
});

test('a reading holds every field at every level, consistent with each other', async () => {
  const probe = await open();
  const [generator, fake, teacher] = ['generator', 'fake', 'teacher'].map(parameters);
  const { tensors, cosine, residualRatio } = await probe.read({ generator, fake, teacher });
  await probe.dispose();
  const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape.join()]));
  const field = '3,5,1,4,4';
  assert.deepEqual(shapes, {
    ...{ z: '5,1,4,4', x: '5,1,4,4', labels: '5,3', sigma: '3', cosine: '3,5', residualRatio: '3,5' },
    ...{ xt: field, muReal: field, muFake: field, grad: field },
  });
  const of = (name: string) => tensors.get(name)!.data;
  const [x, xt, muReal, muFake, grad] = ['x', 'xt', 'muReal', 'muFake', 'grad'].map(of);
  const level = 1;
  const start = (level * 5 + 2) * numbers; // image 2 at level 1
  const image = x.subarray(2 * numbers, 3 * numbers);
  let distance = 0;
  for (let i = 0; i < numbers; i++) distance += Math.abs(image[i] - muReal[start + i]) / numbers;
  for (let i = 0; i < numbers; i++) {
    const expected = (muFake[start + i] - muReal[start + i]) / distance;
    assert.ok(Math.abs(grad[start + i] - expected) <= 1e-4 * (1 + Math.abs(expected)), 'Eq. 8');
  }
  // The same eps at every level: (x_t - x) / sigma does not depend on it.
  const eps = (at: number, i: number) => (xt[at * x.length + i] - x[i]) / sigmas[at];
  for (let i = 0; i < x.length; i++) assert.ok(Math.abs(eps(1, i) - eps(2, i)) < 1e-3);
  const again = compare(x, muReal.subarray(x.length, 2 * x.length), muFake.subarray(x.length, 2 * x.length), 5);
  assert.deepEqual([...of('cosine').subarray(5, 10)], [...Float32Array.from(again.cosine)]);
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  assert.equal(cosine[1], average(again.cosine));
  assert.equal(residualRatio[1], average(again.residualRatio));
});

test('equal networks give cosine 1, ratio 1 and no gradient; the inputs are the same at every reading', async () => {
  const probe = await open();
  const [generator, fake] = ['generator', 'fake'].map(parameters);
  const first = await probe.read({ generator, fake, teacher: fake });
  const second = await probe.read({ generator: parameters('another'), fake, teacher: fake });
  await probe.dispose();
  assert.ok(first.cosine.every((value) => Math.abs(value - 1) < 1e-6));
  assert.ok(first.residualRatio.every((value) => Math.abs(value - 1) < 1e-6));
  assert.ok(first.tensors.get('grad')!.data.every((value) => value === 0));
  for (const name of ['z', 'labels', 'sigma']) assert.deepEqual(first.tensors.get(name), second.tensors.get(name));
  assert.notDeepEqual(first.tensors.get('x'), second.tensors.get('x'));
});

test('with the real score alone there is no fake score to compare with', async () => {
  const probe = await open(true);
  const [generator, fake, teacher] = ['generator', 'fake', 'teacher'].map(parameters);
  const { tensors, cosine } = await probe.read({ generator, fake, teacher });
  await probe.dispose();
  assert.deepEqual(cosine, []);
  assert.ok(!tensors.has('muFake') && tensors.has('muReal') && tensors.has('grad'));
});
