/**
 * What it brings to compute a DMD iteration's programs in parts of the batch (engine/sharing.ts): each program as a whole and as the
 * engine shares it out, in turns, with the same inputs.
 *
 *     npm run bench -- parts --threads=2 --turns=7 [--network=cifar --batch=8]
 */
import type { DeviceTensor, Program } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { inParts } from '../../backend/engine/sharing.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { type DmdShape, fakeScoreGraph, generatorGraph } from '../../backend/methods/dmd/graphs.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { edmShape } from '../unit/training/edm-distillation.ts';
import { batch as builtInBatch, builtInNetwork, cifarNetwork } from './lib/dmd-case.ts';
import { numberOption, textOption, threadsOption } from './lib/options.ts';
import { spread } from './lib/statistics.ts';

const threads = threadsOption();
const turns = numberOption('turns', 7);
const batch = numberOption('batch', builtInBatch);
const network = createNetwork(textOption('network') === 'cifar' ? cifarNetwork : builtInNetwork);
const shape = edmShape({
  ...{ network, batch, matching: { weight: 'eq8', realOnly: false } as const },
  regression: { batch, distance: l2Distance },
});
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });

type Feeds = Record<string, DeviceTensor>;

async function timed(program: Program, feeds: Feeds): Promise<{ wall: number; cpu: number }> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const results = await program.run(feeds);
  const { user, system } = process.cpuUsage(before);
  const wall = performance.now() - start;
  for (const tensor of Object.values(results)) tensor.dispose();
  return { wall, cpu: (user + system) / 1000 };
}

console.log(`${threads} thread(s), ${turns} turns, milliseconds; the ratios are of two turns next to each other`);
for (const [name, graphOf] of Object.entries({
  generator: generatorGraph,
  'fake score': (of: DmdShape) => fakeScoreGraph(of),
})) {
  const { graph, sharing } = inParts(shape, graphOf);
  const random = stream(1, name);
  // Positive everywhere: some inputs are noise levels.
  const feeds = Object.fromEntries(
    Array.from(graph.inputs, ([input, declared]) => {
      const data = random.rand(sizeOf(declared.shape)).map((value) => 0.01 + 0.1 * value);
      return [input, engine.upload({ shape: declared.shape, data })];
    }),
  );
  const [whole, parts] = [await engine.compile(graph), await engine.compile(graph, { sharing })];
  const found: { whole: { wall: number; cpu: number }; parts: { wall: number; cpu: number } }[] = [];
  for (let turn = -1; turn < turns; turn++) {
    const each = { whole: await timed(whole, feeds), parts: await timed(parts, feeds) };
    if (turn >= 0) found.push(each);
  }
  for (const what of ['wall', 'cpu'] as const) {
    const [asWhole, inTurn] = (['whole', 'parts'] as const).map((side) => found.map((each) => each[side][what]));
    const ratio = spread(
      inTurn!.map((value, i) => value / asWhole![i]!),
      2,
    );
    const words = what === 'wall' ? 'wall clock' : 'processor';
    console.log(`${name}, ${words}: ${spread(asWhole!, 0)} whole, ${spread(inTurn!, 0)} in parts: ${ratio}`);
  }
  for (const tensor of Object.values(feeds)) tensor.dispose();
  await whole.dispose();
  await parts.dispose();
}
await engine.dispose();
