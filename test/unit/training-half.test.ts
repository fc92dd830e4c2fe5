/**
 * Training in float16 with float32 around it: close to float32, an overflow left out and recovered from, and resumed bit for bit. The
 * CPU computes it by widening what each operator reads, and rounds what goes from one to the next.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { initialParameters, layoutOf, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { GradientNoise } from '../../backend/methods/dmd/vitals/gradient-noise.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { LossScale } from '../../backend/training/loss-scale.ts';
import type { Trainer } from '../../backend/training/trainer.ts';
import { edmDistillation, samePairs } from './training/edm-distillation.ts';
import { savedBy, storedIn } from './training/saved.ts';
import { labelDim, tinyNetwork } from './training/tiny.ts';

const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

const network = createNetwork(tinyNetwork);

/** An odd batch and a second fake-score update; scales double after two good updates. */
async function training(computes: 'float32' | 'float16'): Promise<Trainer> {
  const weights = (name: string) => {
    const flat = initialParameters(network.layout, stream(4, name));
    const shift = stream(4, name, 'shift').randn(flat.length);
    return unpackParameters(
      network.layout,
      flat.map((value, i) => value + 0.05 * shift[i]!),
    );
  };
  const images = (name: string) => {
    const shape = [3, ...network.imageShape];
    return { shape, data: stream(4, name).randn(sizeOf(shape)) };
  };
  const update = {
    ...{ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 1 },
    emaDecays: [0.9],
  };
  const labels = { shape: [3, labelDim], data: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0) };
  const { trainer } = await edmDistillation(cpu, {
    ...{ network, teacherParameters: weights('teacher'), batch: 3, sigmas: [0.05, 1, 20], seed: 4 },
    ...{ accumulation: 1, fakeUpdates: 2, computes, scalePatience: 2, keepsGradients: () => true },
    ...{ matching: { weight: 'eq8', realOnly: false }, regression: { batch: 3, distance: l2Distance } },
    pairs: samePairs(images('z'), images('y'), labels),
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda: 0.25 },
      ...{ firstLevel: 0, lastLevel: 2 },
    }),
    start: { generator: weights('generator'), fake: weights('fake') },
  });
  return trainer;
}

/** One for all tests, which is compiled once; each begins with it as it was made. */
const half = await training('float16');
const begun = await savedBy(half);
after(() => half.dispose());

/** Root mean square of the difference over that of what is expected. */
function error(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  let [off, size] = [0, 0];
  actual.forEach((chunk, k) => {
    chunk.forEach((value, i) => {
      off += (value - expected[k]![i]!) ** 2;
      size += expected[k]![i]! ** 2;
    });
  });
  return Math.sqrt(off / size);
}

test('losses, norms and gradients are those of float32 within the digits of float16', async (t) => {
  const exact = await training('float32');
  t.after(() => exact.dispose());
  const [{ scalars }, { scalars: right }] = [await half.advance(), await exact.advance()];
  for (const [name, value] of Object.entries(right)) {
    const off = Math.abs(scalars[name]! - value);
    // A mean of both signs is small beside what it is a mean of.
    assert.ok(
      off <= 0.01 * Math.abs(value) + (name === 'gradientMean' ? 2e-3 : 0),
      `${name}: ${scalars[name]}, ${value}`,
    );
  }
  assert.deepEqual([scalars['loss-scale/generator'], scalars['loss-scale/fake']], [65536, 65536]);
  assert.ok(!Object.keys(right).some((name) => name.startsWith('loss-scale')));
  const [gradients, wanted] = [await half.gradients(), await exact.gradients()];
  for (const name of ['generator', 'fake']) {
    const off = error(gradients.get(name)!, wanted.get(name)!);
    assert.ok(off < 0.02 && off > 1e-6, `${name}: ${off}`);
  }
});

test('an update whose gradient overflows is left out and the scale halved, until it fits; nothing else stops', async () => {
  const planted = { shape: [2], data: Float32Array.of(2 ** 24, 7) };
  const files = new Map(Array.from(begun, ([name, arrays]) => [name, new Map(arrays).set('lossScale', planted)]));
  await half.restore(0, storedIn(files));
  const skipped = { generator: 0, fake: 0 };
  let before = files;
  for (let step = 1; step <= 16; step++) {
    const { scalars } = await half.advance();
    assert.equal(half.step, step);
    assert.ok(Object.values(scalars).every(Number.isFinite));
    const now = await savedBy(half);
    let whole = true;
    for (const [name, norm] of [
      ['generator', 'normGenerator'],
      ['fake', 'normFake'],
    ] as const) {
      const [then, state] = [before.get(name)!, now.get(name)!];
      const scale = then.get('lossScale')!.data[0]!;
      assert.equal(scalars[`loss-scale/${name}`], scale);
      if (scalars[norm] === undefined) {
        whole = false;
        skipped[name] += 1;
        for (const buffer of then.keys()) {
          if (buffer !== 'lossScale')
            assert.deepEqual(state.get(buffer)!.data, then.get(buffer)!.data, `${name}.${buffer}`);
        }
        assert.deepEqual([...state.get('lossScale')!.data], [scale / 2, 0]);
      } else assert.notDeepEqual(state.get('parameters')!.data, then.get('parameters')!.data);
    }
    before = now;
    if (whole) break;
  }
  assert.ok(skipped.generator > 0 && skipped.fake > 0, 'both overflowed');
  assert.ok(half.step < 16, 'both recovered');
});

test('a run that is resumed has the same bits, its scales and their good updates among them', async () => {
  await half.restore(0, storedIn(begun));
  await half.advance();
  const between = await savedBy(half);
  const once = [await half.advance(), await half.advance()];
  const saved = await savedBy(half);
  await half.restore(1, storedIn(between));
  assert.deepEqual([await half.advance(), await half.advance()], once);
  assert.deepEqual(await savedBy(half), saved);
  const { data } = saved.get('fake')!.get('lossScale')!;
  assert.deepEqual([...data], [2 ** 17, 1], 'doubled after two good updates, and one more');
});

test('the noise of gradients that are scaled is that of the gradients', async (t) => {
  const layout = layoutOf([{ name: 'w', shape: [3], init: { kind: 'zeros' }, role: 'trained' }]);
  const noise = await GradientNoise.create(cpu, layout, 1);
  t.after(() => noise.dispose());
  const scaled = (scale: number) =>
    [[0.5, -1, 2].map((value) => value * scale), [1, -2, 0.25].map((value) => value * scale)].map((numbers) => [
      cpu.upload({ shape: [3], data: Float32Array.from(numbers) }),
    ]);
  const [[first, second], [large, larger]] = [scaled(1), scaled(2 ** 16)] as const;
  const read = await noise.read(first!, second!);
  assert.deepEqual(Object.values(read), [3, (0.25 + 1 + 1.75 ** 2) / 2]);
  assert.deepEqual(await noise.read(large!, larger!, 2 ** 16), read);
});

test('a scale is a power of two within bounds, and at 1 explains nothing', async () => {
  const scale = new LossScale(1);
  for (let i = 0; i < 40; i++) scale.succeed();
  assert.equal(scale.value, 2 ** 24);
  for (let i = 0; i < 40; i++) scale.overflow();
  assert.deepEqual([scale.value, scale.explains], [1, false]);
  await scale.restore(undefined);
  assert.deepEqual([scale.value, scale.explains], [2 ** 16, true]);
  assert.deepEqual([...scale.feed().lossScale!.data], [2 ** 16]);
});
