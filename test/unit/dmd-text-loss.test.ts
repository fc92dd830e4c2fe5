/** The text model's loss against its formula, on networks of three numbers; and two networks in one flat buffer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vpSchedule } from '../../backend/diffusion/vp/index.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { add, mean, mul, reshape } from '../../backend/graph/ops/index.ts';
import { collectParameters, type ParameterSource, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { joinLayouts, weightsOf } from '../../backend/teach/joint-layout.ts';
import { createTextTrainer, textDraws, textLayout } from '../../backend/teach/teach-text.ts';
import { snrWeight, type TextConditioned, textLossGraph } from '../../backend/teach/text-loss.ts';
import { averagedWeights } from '../../backend/training/loss-procedure.ts';
import { randomBelow, uniform } from '../random.ts';

const number = (source: ParameterSource, name: string) => source.get(name, [1], { kind: 'ones' });

/** prediction = gain x + time t / 1000 + word mean(ids). */
const networks: TextConditioned = {
  unet: {
    layout: collectParameters((source) => add(number(source, 'gain'), number(source, 'time'))),
    latentShape: [2, 1, 3],
    predict: (source, sample, timestep, context) => {
      const each = (tensor: typeof sample) => reshape(tensor, [sample.shape[0], 1, 1, 1]);
      const ofTime = mul(each(timestep), mul(number(source, 'time'), 0.001));
      return add(add(mul(sample, number(source, 'gain')), ofTime), each(context));
    },
  },
  textEncoder: {
    layout: collectParameters((source) => number(source, 'word')),
    maxTokens: 4,
    encode: (source, ids) => mul(mean(ids, { axes: [1] }), number(source, 'word')),
  },
};

test('two layouts in one: names with their part, offsets without gaps, fixed parameters last', () => {
  const part = collectParameters((source) => {
    source.get('table', [2], { kind: 'zeros' }, 'fixed');
    return source.get('weight', [3], { kind: 'ones' });
  });
  const joint = joinLayouts({ a: part, b: part });
  assert.deepEqual(
    joint.entries.map(({ name, offset, role }) => [name, offset, role]),
    [
      ['a.weight', 0, 'trained'],
      ['b.weight', 3, 'trained'],
      ['a.table', 6, 'fixed'],
      ['b.table', 8, 'fixed'],
    ],
  );
  assert.deepEqual([joint.size, joint.trainedSize], [10, 6]);
  const flat = Float32Array.from({ length: 10 }, (_, i) => i);
  const own = weightsOf(unpackParameters(joint, flat), 'b');
  assert.deepEqual([...own].map(([name, { data }]) => [name, ...data]).sort(), [
    ['table', 8, 9],
    ['weight', 3, 4, 5],
  ]);
  assert.equal(weightsOf(unpackParameters(joint, flat), 'c').size, 0);
});

for (const predictionType of ['epsilon', 'v_prediction'] as const) {
  test(`the weighted mean over images of the error in ${predictionType}, and its gradient`, async () => {
    const layout = textLayout(networks);
    assert.deepEqual(
      layout.entries.map(({ name }) => name),
      ['text_encoder.word', 'unet.gain', 'unet.time'],
    );
    const [word, gain, time] = [0.3, 0.8, 0.1];
    const random = stream(uniform(), 'text loss');
    const shape = [2, 2, 1, 3];
    const [latents, noise] = [random.randn(sizeOf(shape)), random.randn(sizeOf(shape))];
    const ids = Float32Array.of(1, 2, 3, 4, 7, 8, 9, 4);
    const perImage = {
      timestep: [10, 900],
      alpha: [0.9, 0.2],
      sigma: [0.3, 0.95],
      weight: [0.5, 2],
    };
    const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
    try {
      const program = await engine.compile(textLossGraph(networks, layout, 2, predictionType));
      const results = await program.run({
        parameters: { shape: [3], data: Float32Array.of(word, gain, time) },
        latents: { shape, data: latents },
        noise: { shape, data: noise },
        ids: { shape: [2, 4], data: ids },
        ...Object.fromEntries(
          Object.entries(perImage).map(([name, values]) => [name, { shape: [2], data: Float32Array.from(values) }]),
        ),
      });
      let loss = 0;
      const gradient = [0, 0, 0];
      latents.forEach((z, i) => {
        const image = Math.floor(i / 6);
        const [t, a, s, w] = Object.values(perImage).map((values) => values[image]);
        const said = ids.slice(4 * image, 4 * image + 4).reduce((sum, id) => sum + id / 4, 0);
        const x = a * z + s * noise[i];
        const target = predictionType === 'epsilon' ? noise[i] : a * noise[i] - s * z;
        const error = gain * x + (time * t) / 1000 + word * said - target;
        loss += (w * error ** 2) / latents.length;
        [said, x, t / 1000].forEach((factor, k) => {
          gradient[k] += (2 * w * error * factor) / latents.length;
        });
      });
      const [actual] = await results.loss.read();
      assert.ok(Math.abs(actual - loss) <= 1e-5 * loss, `${actual}, expected ${loss}`);
      const found = await results.gradient.read();
      gradient.forEach((value, k) => {
        assert.ok(Math.abs(found[k] - value) <= 1e-4 * (1 + Math.abs(value)), `${k}: ${found[k]}, expected ${value}`);
      });
    } finally {
      await engine.dispose();
    }
  });
}

test('a cap on the signal-to-noise ratio lowers the weight of levels with little noise, and of no others', () => {
  const at = (snr: number) => [Math.sqrt(snr / (1 + snr)), Math.sqrt(1 / (1 + snr))] as const;
  const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);
  assert.equal(snrWeight(...at(100), 0, 'epsilon'), 1);
  close(snrWeight(...at(100), 5, 'epsilon'), 0.05);
  close(snrWeight(...at(2), 5, 'epsilon'), 1);
  close(snrWeight(...at(100), 5, 'v_prediction'), 5 / 101);
  close(snrWeight(...at(0.25), 5, 'v_prediction'), 0.2);
});

const drawing = {
  networks,
  schedule: vpSchedule({ beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 }),
  predictionType: 'epsilon' as const,
  minTimestep: 0,
  emptyPrompts: 0.25,
  emptyIds: Float32Array.of(0, 0, 0, 0),
  minSnrGamma: 5,
  initial: new Map(),
  samples: (_step: number, _micro: number, count: number) => ({
    latents: { shape: [count, 2, 1, 3], data: new Float32Array(count * 6).fill(0.5) },
    ids: { shape: [count, 4], data: new Float32Array(count * 4).fill(1) },
  }),
};

test('draws: every timestep alike, a share of empty prompts, and the same numbers for the same step', () => {
  const options = { ...drawing, seed: randomBelow(1e6), batch: 4000 };
  const { timestep, ids, alpha, sigma, weight, noise } = textDraws(options, 3, 1);
  const sorted = timestep.data.slice().sort();
  assert.ok(sorted[0] >= 0 && sorted[0] < 20 && sorted.at(-1)! > 980 && sorted.at(-1)! <= 999);
  assert.ok(Math.abs(sorted[2000] - 500) < 40, `half of the timesteps are below ${sorted[2000]}`);
  const rows = Array.from({ length: 4000 }, (_, i) => ids.data.slice(4 * i, 4 * i + 4).join(' '));
  const empty = rows.filter((row) => row === '0 0 0 0').length;
  assert.ok(Math.abs(empty - 1000) < 140, `${empty} of 4000 prompts are empty`);
  assert.ok(rows.every((row) => row === '0 0 0 0' || row === '1 1 1 1'));
  for (const i of [0, 17, 3999]) {
    const t = timestep.data[i];
    const [a, s] = [options.schedule.alpha(t), options.schedule.sigma(t)];
    const expected = [a, s, snrWeight(a, s, 5, 'epsilon')].map(Math.fround);
    assert.deepEqual([alpha.data[i], sigma.data[i], weight.data[i]], expected);
  }
  assert.deepEqual(textDraws(options, 3, 1).noise, noise);
  const late = textDraws({ ...options, minTimestep: 850 }, 3, 1)
    .timestep.data.slice()
    .sort();
  assert.ok(late[0] >= 850 && late[0] < 853 && late.at(-1) === 999, `from ${late[0]} to ${late.at(-1)}`);
  for (const [step, micro] of [
    [3, 0],
    [4, 1],
  ]) {
    assert.notDeepEqual(textDraws(options, step, micro).noise.data.slice(0, 9), noise.data.slice(0, 9));
  }
});

test('training learns what it is shown', async () => {
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const trainer = await createTextTrainer(engine, {
    ...{ ...drawing, seed: randomBelow(1e6), batch: 64, accumulation: 1, minSnrGamma: 0 },
    initial: new Map(
      ['text_encoder.word', 'unet.gain', 'unet.time'].map((name) => [name, { shape: [1], data: Float32Array.of(0) }]),
    ),
    emas: [0.9],
    settings: () => ({
      ...{ learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clip: 10, emaDecays: [0.9] },
    }),
  });
  try {
    const losses: number[] = [];
    for (let step = 1; step <= 150; step++) losses.push((await trainer.advance()).scalars['loss/teacher']);
    const mean = (values: number[]) => values.reduce((sum, loss) => sum + loss / values.length, 0);
    assert.ok(mean(losses.slice(0, 3)) > 0.7, 'at first nothing of the noise is found');
    assert.ok(mean(losses.slice(-50)) < 0.5, `most of the noise is found: ${mean(losses.slice(-50))} is left`);
    const gain = weightsOf(await averagedWeights(trainer), 'unet').get('gain')!.data[0];
    assert.ok(gain > 0.5 && gain < 1.2, `what is seen is mostly noise: ${gain}`);
  } finally {
    await trainer.dispose();
    await engine.dispose();
  }
});
