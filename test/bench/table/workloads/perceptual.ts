/** LPIPS on VGG16 of four pairs of images at 224x224, with the gradient of its sum to the first of each. */
import path from 'node:path';
import { gradients } from '../../../../backend/graph/gradients.ts';
import { Graph } from '../../../../backend/graph/graph.ts';
import { sum } from '../../../../backend/graph/ops/index.ts';
import { constantParameters } from '../../../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../../../backend/graph/tensor-data.ts';
import { lpips } from '../../../../backend/nets/index.ts';
import { stream } from '../../../../backend/random/stream.ts';
import { writeSafetensors } from '../../../../backend/weights/safetensors.ts';
import { recordedLpipsWeights } from '../../../golden/lpips-weights.ts';
import { caseFile, type Workload } from '../workload.ts';

const shape = [4, 3, 224, 224];
const image = (name: string): TensorData => {
  return {
    shape,
    data: stream(17, name)
      .rand(sizeOf(shape))
      .map((u) => 2 * u - 1),
  };
};

export const perceptual: Workload = {
  async prepare(folder) {
    const tensors = new Map([...recordedLpipsWeights(), ['a', image('a')], ['b', image('b')]]);
    await writeSafetensors(path.join(folder, caseFile), tensors, { metadata: { kind: 'perceptual', settings: '{}' } });
  },
  async ready({ engine, begin }) {
    const feeds = { a: image('a'), b: image('b') };
    const weights = recordedLpipsWeights();
    begin();
    const graph = new Graph();
    const [a, b] = [graph.input('a', shape), graph.input('b', shape)];
    const distance = lpips(constantParameters(graph, weights), a, b);
    graph.output('distance', distance);
    graph.output('gradient', gradients(sum(distance), [a])[0]!);
    const program = await engine.compile(graph, { name: 'lpips' });
    let first: Map<string, TensorData> | null = null;
    return {
      async turn() {
        const results = await program.run(feeds);
        const read = new Map<string, TensorData>();
        for (const [name, tensor] of Object.entries(results)) {
          if (!first) read.set(name, { shape: [...tensor.shape], data: (await tensor.read()).slice() });
          tensor.dispose();
        }
        first ??= read;
      },
      answers: async () => first!,
      dispose: () => program.dispose(),
    };
  },
};
