/**
 * Attention of Stable Diffusion's largest level (4096 tokens, 8 heads of 40 channels) on the CPU, result and gradient, by the memory that
 * it may take: how many parts that makes, and milliseconds of wall clock and of processor time, median and quartiles of
 * runs that take turns.
 *
 *     npm run bench -- attention --threads=2 --turns=9
 */
import { hostAttentionBytes } from '../../backend/engine/capabilities.ts';
import { ortCapabilities } from '../../backend/engine/onnxruntime/capabilities.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { lowerGraph } from '../../backend/graph/onnx/emit.ts';
import { encodeModel } from '../../backend/graph/onnx/proto.ts';
import { headAttention } from '../../backend/graph/ops/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { spread } from './lib/statistics.ts';

const threads = threadsOption();
const turns = numberOption('turns', 9);
const [tokens, heads, channels] = [4096, 8, 320];
const shape = [1, tokens, channels];
/** Bytes of one head's table. */
const table = 4 * tokens * tokens;
const device = await ortCapabilities('cpu');

function attention(gradient: boolean): Graph {
  const graph = new Graph();
  const inputs = ['q', 'k', 'v'].map((name) => graph.input(name, shape));
  const y = headAttention(inputs[0], inputs[1], inputs[2], { heads });
  if (!gradient) graph.output('y', y);
  else {
    gradients([{ of: y, gradient: graph.input('dy', shape) }], inputs).forEach((result, i) => {
      graph.output(`g${i}`, result);
    });
  }
  return graph;
}

/** One head at a time takes three tables in the gradient; what this machine is given is among the amounts. */
const amounts = [3 / 4, 3, 24].map((tables) => tables * table);
const budgets = [...new Set([...amounts, hostAttentionBytes()])].sort((a, b) => a - b);
const feeds = Object.fromEntries(
  ['q', 'k', 'v', 'dy'].map((name) => [
    name,
    new runtime.Tensor('float32', stream(1, name).randn(tokens * channels), shape),
  ]),
);

async function compare(title: string, graph: Graph, fused: readonly string[]): Promise<void> {
  const forms = [];
  for (const attentionBytes of budgets) {
    const capabilities = { ...device, fused: device.fused.filter((name) => fused.includes(name)), attentionBytes };
    const lowered = lowerGraph(graph, { capabilities });
    const session = await runtime.InferenceSession.create(encodeModel(lowered), {
      intraOpNumThreads: threads,
      executionMode: 'sequential',
      logSeverityLevel: 3,
    });
    const parts = lowered.nodes.filter(({ opType }) => opType === 'Softmax').length;
    forms.push({ attentionBytes, parts, session, wall: [] as number[], processor: [] as number[] });
  }
  const own = Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.has(name)));
  for (let turn = 0; turn <= turns; turn++) {
    for (const { session, wall, processor } of forms) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await session.run(own);
      const { user, system } = process.cpuUsage(before);
      if (turn === 0) continue; // it warms up
      wall.push(performance.now() - start);
      processor.push((user + system) / 1000);
    }
  }
  console.log(`${title}, ${threads} thread(s), ${turns} turns`);
  for (const { attentionBytes, parts, session, wall, processor } of forms) {
    const given = attentionBytes === hostAttentionBytes() ? ', what this machine gives' : '';
    const title = `${attentionBytes / 2 ** 20} MB in ${parts} part(s)${given}`;
    console.log(`  ${title}: ${spread(wall, 0)} wall, ${spread(processor, 0)} processor`);
    await session.release();
  }
}

await compare('result, written out', attention(false), ['FusedMatMul']);
await compare('result, one operator', attention(false), device.fused);
await compare('gradient', attention(true), device.fused);
