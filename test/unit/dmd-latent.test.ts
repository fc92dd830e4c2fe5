/** Latent distillation's graphs against the same worked out in float64, for every weight, kind of prediction and guidance. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { PredictionType } from '../../backend/diffusion/vp/index.ts';
import { vpSchedule } from '../../backend/diffusion/vp/index.ts';
import type { Feed } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import type { Graph } from '../../backend/graph/graph.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { type DmdShape, fakeScoreGraph, generatorGraph, unconditionalName } from '../../backend/methods/dmd/graphs.ts';
import { latentModel } from '../../backend/models/latent-model.ts';
import { trainedPart } from '../../backend/models/trained-part.ts';
import { matchingWeights } from '../../backend/protocol/config/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';
import {
  contextDim,
  gradientLinear,
  latentShape,
  linearNetwork,
  linearWeights,
  predictLinear,
  tokens,
} from './latent/linear-network.ts';

const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

const seed = testSeed;
const [batch, paired] = [2, 1];
const count = batch + paired;
const numbers = sizeOf(latentShape);
const schedule = vpSchedule({ beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 });
const last = schedule.timesteps - 1;
const timesteps = [31, 500, 971];
const whole = trainedPart(linearNetwork.layout, null);

const normal = (name: string, shape: readonly number[]) => ({ shape, data: stream(seed, name).randn(sizeOf(shape)) });
const flat = (name: string) => ({
  shape: [linearNetwork.layout.size],
  data: normal(name, [linearNetwork.layout.size]).data.map((value) => 0.3 * value),
});
const inputs = {
  generator: flat('generator'),
  fake: flat('fake'),
  teacher: flat('teacher'),
  z: normal('z', [count, ...latentShape]),
  noise: normal('noise', [count, ...latentShape]),
  context: normal('context', [count, tokens, contextDim]),
  [unconditionalName('context')]: normal('unconditional', [1, tokens, contextDim]),
  yRef: normal('refLatents', [paired, ...latentShape]),
  guidance: { shape: [], data: Float32Array.of(3) },
};
const lambda = 0.7;
const level = {
  timestep: { shape: [count], data: Float32Array.from(timesteps) },
  alpha: { shape: [count], data: Float32Array.from(timesteps, schedule.alpha) },
  sigma: { shape: [count], data: Float32Array.from(timesteps, schedule.sigma) },
};

type Change = Partial<DmdShape> & { readonly prediction?: PredictionType };

function shapeOf({ prediction = 'epsilon', ...change }: Change): DmdShape {
  const model = latentModel(linearNetwork, { prediction, schedule, tokens });
  return {
    ...{ teacher: model, student: model, generator: whole, fake: whole, guidance: 3, batch },
    ...{ pairsMatch: true, halfTeacher: false, matching: { weight: 'eq8', realOnly: false } },
    regression: { batch: paired, distance: l2Distance },
    ...change,
  };
}

async function run(graph: Graph, feeds: Readonly<Record<string, Feed>>) {
  const program = await engine.compile(graph);
  const results = await program.run(
    Object.fromEntries(Array.from(program.inputs.keys(), (name) => [name, feeds[name]])),
  );
  const read = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(results)) {
    read.set(name, (await tensor.read()).slice());
    tensor.dispose();
  }
  await program.dispose();
  return read;
}

const row = ({ data }: { data: Float32Array }, n: number, length = numbers) => [
  ...data.subarray(n * length, (n + 1) * length),
];
const contextOf = (n: number) => row(inputs.context, n, tokens * contextDim);

/** x_0 of a prediction, and d x_0 / d prediction. */
function clean(
  type: PredictionType,
  xt: readonly number[],
  prediction: readonly number[],
  alpha: number,
  sigma: number,
) {
  if (type === 'epsilon') return { x0: xt.map((x, i) => (x - sigma * prediction[i]) / alpha), slope: -sigma / alpha };
  if (type === 'sample') return { x0: [...prediction], slope: 1 };
  return { x0: xt.map((x, i) => alpha * x - sigma * prediction[i]), slope: -sigma };
}

/** The whole generator half in float64. */
function expected({ teacher: model, guidance, matching, regression }: DmdShape) {
  const prediction = model.prediction as PredictionType;
  const [generator, fake, teacher] = [inputs.generator, inputs.fake, inputs.teacher].map(({ data }) =>
    linearWeights(data),
  );
  const out = {
    x: [] as number[],
    xt: [] as number[],
    muReal: [] as number[],
    muFake: [] as number[],
    grad: [] as number[],
  };
  const gradient = new Float64Array(linearNetwork.layout.size);
  let lossRegression = 0;
  for (let n = 0; n < count; n++) {
    const context = contextOf(n);
    const z = row(inputs.z, n);
    const { x0: x, slope } = clean(
      prediction,
      z,
      predictLinear(generator, z, last, context),
      schedule.alpha(last),
      schedule.sigma(last),
    );
    const t = timesteps[n];
    const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
    const xt = x.map((value, i) => alpha * value + sigma * row(inputs.noise, n)[i]);
    const conditional = predictLinear(teacher, xt, t, context);
    const unconditional = predictLinear(teacher, xt, t, row(inputs['unconditional.context']!, 0, tokens * contextDim));
    const real =
      guidance > 1 ? conditional.map((c, i) => unconditional[i] + guidance * (c - unconditional[i])) : conditional;
    const muReal = clean(prediction, xt, real, alpha, sigma).x0;
    const muFake = clean(prediction, xt, predictLinear(fake, xt, t, context), alpha, sigma).x0;
    const distance = x.reduce((sum, value, i) => sum + Math.abs(value - muReal[i]), 0) / numbers;
    const factor = {
      eq8: 1 / distance,
      'eq8-alpha': alpha / distance,
      'sigma/alpha': alpha / sigma,
      'sigma^3/alpha': alpha * sigma,
      'sigma^2/alpha': alpha,
    }[matching?.weight ?? 'eq8'];
    const grad = muFake.map((value, i) => factor * (value - muReal[i]));
    const towards = matching ? grad.map((value) => value / (count * numbers)) : grad.map(() => 0);
    if (regression && n >= batch) {
      const y = row(inputs.yRef, n - batch);
      x.forEach((value, i) => {
        lossRegression += (value - y[i]) ** 2 / (paired * numbers);
        towards[i] += (lambda * 2 * (value - y[i])) / (paired * numbers);
      });
    }
    const part = gradientLinear(
      z,
      last,
      context,
      towards.map((g) => slope * g),
    );
    part.forEach((value, i) => {
      gradient[i] += value;
    });
    out.x.push(...x);
    out.xt.push(...xt);
    out.muReal.push(...muReal);
    out.muFake.push(...muFake);
    out.grad.push(...grad);
  }
  const lossMatching = matching ? out.grad.reduce((sum, g) => sum + (0.5 * g * g) / out.grad.length, 0) : 0;
  return { ...out, gradient: [...gradient], lossMatching, lossRegression };
}

function near(actual: ArrayLike<number>, wanted: ArrayLike<number>, what: string, tolerance = 2e-5) {
  const largest = Math.max(...Array.from(wanted, Math.abs));
  assert.equal(actual.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) {
    assert.ok(
      Math.abs(actual[i] - wanted[i]) <= tolerance * largest,
      `${what}[${i}] is ${actual[i]} where ${wanted[i]} is right (largest ${largest})`,
    );
  }
}

const variants: Record<string, Change> = {
  ...Object.fromEntries(
    matchingWeights.map((weight) => [`weight ${weight}`, { matching: { weight, realOnly: false } }]),
  ),
  'v_prediction, guidance 8': { prediction: 'v_prediction', guidance: 8 },
  'sample prediction': { prediction: 'sample' },
  'guidance 1': { guidance: 1 },
  'without distribution matching': { matching: null },
};

for (const [title, change] of Object.entries(variants)) {
  test(`the generator's half is as worked out by hand: ${title}`, async () => {
    const shape = shapeOf(change);
    const results = await run(generatorGraph(shape), {
      ...inputs,
      ...level,
      lambda: { shape: [], data: Float32Array.of(lambda) },
      guidance: { shape: [], data: Float32Array.of(shape.guidance) },
    });
    const wanted = expected(shape);
    near(results.get('x')!, wanted.x, 'x');
    if (shape.matching) {
      for (const name of ['xt', 'muReal', 'muFake', 'grad'] as const)
        near(results.get(name)!, wanted[name], name, 1e-4);
    } else assert.ok(!results.has('grad'));
    const [lossMatching, lossRegression] = results.get('report')!;
    near([lossMatching, lossRegression], [wanted.lossMatching, wanted.lossRegression], 'losses', 1e-4);
    near(results.get('gradient')!, wanted.gradient, 'gradient', 1e-4);
  });
}

test('without regression there is no paired noise, and every latent is matched', async () => {
  const shape = shapeOf({ regression: null, batch: count });
  const results = await run(generatorGraph(shape), { ...inputs, ...level });
  near(results.get('gradient')!, expected(shape).gradient, 'gradient', 1e-4);
});

for (const prediction of ['epsilon', 'v_prediction', 'sample'] as const) {
  test(`the fake score learns ${prediction} by its plain mean squared error`, async () => {
    const x = normal('x', [count, ...latentShape]);
    const named = Object.entries({ ...level, noise: inputs.noise }).map(([name, of]) => [`${name}Fake`, of]);
    const feeds = { ...inputs, ...Object.fromEntries(named), x };
    const results = await run(fakeScoreGraph(shapeOf({ prediction })), feeds);
    const fake = linearWeights(inputs.fake.data);
    let loss = 0;
    const gradient = new Float64Array(linearNetwork.layout.size);
    for (let n = 0; n < count; n++) {
      const [alpha, sigma] = [schedule.alpha(timesteps[n]), schedule.sigma(timesteps[n])];
      const [clear, noise] = [row(x, n), row(inputs.noise, n)];
      const xt = clear.map((value, i) => alpha * value + sigma * noise[i]);
      const target = { epsilon: noise, sample: clear, v_prediction: clear.map((v, i) => alpha * noise[i] - sigma * v) };
      const errors = predictLinear(fake, xt, timesteps[n], contextOf(n)).map((v, i) => v - target[prediction][i]);
      const part = gradientLinear(
        xt,
        timesteps[n],
        contextOf(n),
        errors.map((error) => (2 * error) / (count * numbers)),
      );
      part.forEach((value, i) => {
        gradient[i] += value;
      });
      loss += errors.reduce((sum, error) => sum + error ** 2, 0) / (count * numbers);
    }
    near(results.get('report')!, [loss], 'loss');
    near(results.get('gradient')!, gradient, 'gradient', 1e-4);
  });
}

test('adapters begin as the teacher and, merged, are the network that was trained', async () => {
  const part = trainedPart(linearNetwork.layout, 2);
  assert.deepEqual(
    part.layout.entries.map(({ name, shape }) => [name, ...shape]),
    [
      ['attn.to_q.weight.lora_A', 2, contextDim],
      ['attn.to_q.weight.lora_B', latentShape[0], 2],
    ],
  );
  const teacher = whole.merged(new Map(), inputs.teacher.data);
  const shape = shapeOf({ generator: part, matching: null });
  const feeds = { ...inputs, ...level, lambda: { shape: [], data: Float32Array.of(lambda) } };
  const start = part.start(teacher, stream(seed, 'adapters'));
  const [first, plain] = await Promise.all([
    run(generatorGraph(shape), { ...feeds, generator: { shape: [start.length], data: start } }),
    run(generatorGraph(shapeOf({ matching: null })), { ...feeds, generator: inputs.teacher }),
  ]);
  assert.deepEqual(first.get('x'), plain.get('x'), 'B starts at zero');

  const moved = start.map((value, i) => value + 0.1 * Math.sin(i));
  const merged = part.merged(teacher, moved);
  const together = Float32Array.from(linearNetwork.layout.entries.flatMap(({ name }) => [...merged.get(name)!.data]));
  const adapted = await run(generatorGraph(shape), {
    ...feeds,
    generator: { shape: [moved.length], data: moved },
  });
  const combined = await run(generatorGraph(shapeOf({ matching: null })), {
    ...feeds,
    generator: { shape: [together.length], data: together },
  });
  near(adapted.get('x')!, combined.get('x')!, 'x');
  assert.notDeepEqual(adapted.get('x'), first.get('x'));
  // The chain rule through W + B A, from the whole network's gradient of W.
  const { offset } = linearNetwork.layout.entries.find(({ name }) => name === 'attn.to_q.weight')!;
  const ofWeight = combined.get('gradient')!.subarray(offset, offset + latentShape[0] * contextDim);
  const [a, b] = [moved.subarray(0, 2 * contextDim), moved.subarray(2 * contextDim)];
  const wanted: number[] = [];
  for (let k = 0; k < 2; k++) {
    for (let d = 0; d < contextDim; d++) wanted.push(b[k] * ofWeight[d] + b[2 + k] * ofWeight[contextDim + d]);
  }
  for (let c = 0; c < latentShape[0]; c++) {
    for (let k = 0; k < 2; k++) {
      let sum = 0;
      for (let d = 0; d < contextDim; d++) sum += ofWeight[c * contextDim + d] * a[k * contextDim + d];
      wanted.push(sum);
    }
  }
  near(adapted.get('gradient')!, wanted, 'gradient of the adapters', 1e-4);
});
