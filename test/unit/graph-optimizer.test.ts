/**
 * The optimizer in the graph against the same formulas in float64: torch.optim.AdamW, torch.nn.utils.clip_grad_norm_ and
 * an exponential moving average, over several steps whose state stays on the device.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceTensor, Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createTensorflowEngine } from '../../backend/engine/tensorflow/engine.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { mul } from '../../backend/graph/ops/index.ts';
import {
  type AdamWOptions,
  adamW,
  adamWScalarInput,
  adamWScalars,
  clipFactor,
  gradientNorm,
  movingAverage,
} from '../../backend/graph/optimizer.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';

const size = 37;
const limit = 4;
const decay = 0.9;
const random = stream(testSeed, 'optimizer');
const shape = [size];
const flat = (data: Float32Array) => tensorData(shape, data);
const scalar = (value: number) => tensorData([], Float32Array.of(value));

function updateGraph(): Graph {
  const graph = new Graph();
  const input = (name: string) => graph.input(name, shape);
  const state = { parameters: input('p'), firstMoment: input('m'), secondMoment: input('v') };
  const gradient = input('gradient');
  const norm = gradientNorm(gradient);
  const clipped = mul(gradient, clipFactor(norm, graph.input('limit', [])));
  const next = adamW(state, clipped, adamWScalarInput(graph, 'scalars'));
  graph.output('norm', norm);
  graph.output('next.p', next.parameters);
  graph.output('next.m', next.firstMoment);
  graph.output('next.v', next.secondMoment);
  graph.output('next.average', movingAverage(input('average'), next.parameters, graph.input('decay', [])));
  return graph;
}

/** One step as PyTorch's documentation writes it down, in float64, changing `state`. */
function torchStep(
  state: Record<'p' | 'm' | 'v' | 'average', number[]>,
  gradient: number[],
  o: AdamWOptions,
  t: number,
) {
  const norm = Math.hypot(...gradient);
  const factor = Math.min(1, limit / (norm + 1e-6));
  gradient.forEach((raw, i) => {
    const g = raw * factor;
    state.p[i] -= o.learningRate * o.weightDecay * state.p[i];
    state.m[i] = o.beta1 * state.m[i] + (1 - o.beta1) * g;
    state.v[i] = o.beta2 * state.v[i] + (1 - o.beta2) * g * g;
    const [mHat, vHat] = [state.m[i] / (1 - o.beta1 ** t), state.v[i] / (1 - o.beta2 ** t)];
    state.p[i] -= (o.learningRate * mHat) / (Math.sqrt(vHat) + o.epsilon);
    state.average[i] = decay * state.average[i] + (1 - decay) * state.p[i];
  });
  return norm;
}

async function followTorch(engine: Engine): Promise<void> {
  const program = await engine.compile(updateGraph());
  const zeros = () => flat(new Float32Array(size));
  const start = random.randn(size);
  let device: Record<string, DeviceTensor> = {
    p: engine.upload(flat(start)),
    m: engine.upload(zeros()),
    v: engine.upload(zeros()),
    average: engine.upload(flat(start)),
  };
  const host = {
    p: Array.from(start),
    m: Array<number>(size).fill(0),
    v: Array<number>(size).fill(0),
    average: Array.from(start),
  };
  const options = { learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
  let clipped = 0;
  for (let t = 1; t <= 6; t++) {
    const warm = { ...options, learningRate: options.learningRate * Math.min(1, t / 3) };
    const size3 = t % 2 === 0 ? 3 : 0.1; // every second gradient is longer than the limit
    const gradient = random.randn(size).map((z) => z * size3);
    const { norm, ...next } = await program.run({
      ...device,
      gradient: flat(gradient),
      limit: scalar(limit),
      decay: scalar(decay),
      scalars: tensorData([8], adamWScalars(warm, t)),
    });
    for (const tensor of Object.values(device)) tensor.dispose();
    device = Object.fromEntries(Object.entries(next).map(([name, tensor]) => [name.replace('next.', ''), tensor]));
    const expectedNorm = torchStep(host, Array.from(gradient), warm, t);
    if (expectedNorm > limit) clipped += 1;
    assert.ok(Math.abs((await norm.read())[0] / expectedNorm - 1) < 1e-6, 'norm');
    norm.dispose();
    for (const key of ['p', 'm', 'v', 'average'] as const) {
      const actual = await device[key].read();
      const scale = Math.max(...host[key].map(Math.abs));
      host[key].forEach((value, i) => {
        assert.ok(Math.abs(actual[i] - value) <= 2e-6 * scale, `step ${t}, ${key}[${i}]: ${actual[i]}, not ${value}`);
      });
    }
  }
  assert.equal(clipped, 3);
  for (const tensor of Object.values(device)) tensor.dispose();
  await engine.dispose();
}

test('AdamW, clipping and moving average on ONNX Runtime', () =>
  followTorch(createOnnxRuntimeEngine({ device: 'cpu', threads: 1 })));

test('AdamW, clipping and moving average on TensorFlow.js', async () =>
  followTorch(await createTensorflowEngine({ backend: 'cpu' })));
