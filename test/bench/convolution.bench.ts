/**
 * Convolutions and their gradients as the engine writes them for the CPU, against the ordinary form that other devices get: in
 * GFLOP/s of processor time, the best of several runs that take turns.
 *
 *     npm run bench -- convolution --threads=1 --runs=12
 */
import { ortCapabilities } from '../../backend/engine/onnxruntime/capabilities.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import { Graph, type OpType, type Shape } from '../../backend/graph/graph.ts';
import { portable } from '../../backend/graph/onnx/capabilities.ts';
import { emitOnnx } from '../../backend/graph/onnx/emit.ts';
import { conv2dInputGradOp, conv2dOp, conv2dWeightGradOp } from '../../backend/graph/ops/conv.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { numberOption, threadsOption } from './lib/options.ts';

interface Sizes {
  batch: number;
  channels: number;
  outChannels: number;
  side: number;
}

const threads = threadsOption();
const runs = numberOption('runs', 12);
/** 3x3 convolutions of the built-in model, and wider ones. */
const cases: Sizes[] = [
  { batch: 64, channels: 16, outChannels: 16, side: 32 },
  { batch: 64, channels: 32, outChannels: 32, side: 32 },
  { batch: 64, channels: 64, outChannels: 64, side: 16 },
  { batch: 64, channels: 64, outChannels: 64, side: 8 },
  { batch: 16, channels: 128, outChannels: 128, side: 32 },
  { batch: 16, channels: 256, outChannels: 256, side: 8 },
];

const forms = [await ortCapabilities('cpu'), portable];

console.log(`GFLOP/s of processor time, ours / ordinary, ${threads} thread(s)`);
for (const sizes of cases) {
  const { batch, channels, outChannels, side } = sizes;
  const image = [batch, channels, side, side];
  const result = [batch, outChannels, side, side];
  const kernel = [outChannels, channels, 3, 3];
  const rates = [
    `forward ${await compare(sizes, conv2dOp, [image, kernel], [])}`,
    `input gradient ${await compare(sizes, conv2dInputGradOp, [result, kernel], image)}`,
    `weight gradient ${await compare(sizes, conv2dWeightGradOp, [image, result], kernel)}`,
  ];
  console.log(`  ${batch}x${channels}x${side}x${side} to ${outChannels}: ${rates.join(', ')}`);
}

async function compare(sizes: Sizes, op: OpType, inputs: Shape[], shape: Shape): Promise<string> {
  const graph = new Graph();
  const tensors = inputs.map((each, i) => graph.input(`input${i}`, each));
  graph.output('result', graph.apply(op, tensors, { stride: 1, padding: [1, 1, 1, 1], groups: 1, shape })[0]);
  const options = { intraOpNumThreads: threads, executionMode: 'sequential', logSeverityLevel: 3 } as const;
  const sessions = await Promise.all(
    forms.map((capabilities) => runtime.InferenceSession.create(emitOnnx(graph, { capabilities }), options)),
  );
  const feeds = Object.fromEntries(
    inputs.map((each, i) => [
      `input${i}`,
      new runtime.Tensor('float32', Float32Array.from({ length: sizeOf(each) }, Math.random), each),
    ]),
  );
  const best = sessions.map(() => Number.POSITIVE_INFINITY);
  for (let run = 0; run < runs; run++) {
    for (const [i, session] of sessions.entries()) {
      const before = process.cpuUsage();
      await session.run(feeds);
      const { user, system } = process.cpuUsage(before);
      best[i] = Math.min(best[i], (user + system) / 1e6);
    }
  }
  for (const session of sessions) await session.release();
  const { batch, channels, outChannels, side } = sizes;
  const work = (2 * 9 * batch * channels * outChannels * side ** 2) / 1e9;
  return best.map((seconds) => (work / seconds).toFixed(0)).join(' / ');
}
