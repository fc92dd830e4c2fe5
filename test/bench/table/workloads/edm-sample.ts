/** Images of an EDM network by seed: one call of it, as a generator makes them, or Heun's method with 18 steps (35 calls). */
import path from 'node:path';
import type { TensorData } from '../../../../backend/graph/tensor-data.ts';
import { openModel } from '../../../../backend/models/model-file.ts';
import { createNetwork, type Network } from '../../../../backend/nets/index.ts';
import { SeededSource } from '../../../../backend/sampling/seeded-images.ts';
import { writeSafetensors } from '../../../../backend/weights/safetensors.ts';
import { cifarNetwork, drawWeights } from '../../lib/dmd-case.ts';
import { caseFile, type Workload } from '../workload.ts';

export interface SampleOptions {
  readonly of: 'built-in' | 'cifar';
  /** 1, or of Heun's method. */
  readonly steps: number;
  readonly batch: number;
}

interface Opened {
  readonly network: Network;
  readonly weights: ReadonlyMap<string, TensorData>;
}

async function opened({ of, steps }: SampleOptions): Promise<Opened> {
  if (of === 'built-in') return openModel(steps === 1 ? 'builtin:scenes' : 'builtin:scenes/teacher');
  const network = createNetwork(cifarNetwork);
  return { network, weights: drawWeights(network.layout) };
}

export function edmSample(options: SampleOptions): Workload {
  const { steps, batch } = options;
  const seeds = Array.from({ length: batch }, (_, i) => i);
  return {
    makes: { count: batch, what: 'images' },
    async prepare(folder) {
      const { network, weights } = await opened(options);
      const settings = JSON.stringify({ steps, batch, classes: seeds.map((seed) => seed % network.labelDim) });
      const metadata = { kind: 'edm-sample', network: JSON.stringify(network.config), settings };
      const tensors = Array.from(weights, ([name, tensor]) => [`teacher.${name}`, tensor] as const);
      await writeSafetensors(path.join(folder, caseFile), new Map(tensors), { metadata });
    },
    async ready({ engine, begin }) {
      const { network, weights } = await opened(options);
      begin();
      const source = await SeededSource.create(engine, network, weights, batch, true);
      const classes = seeds.map((seed) => seed % network.labelDim);
      const request = { seeds, classes, steps, sigma: 80, sampler: 'edm', samplerOptions: {} } as const;
      let first: Awaited<ReturnType<SeededSource['draw']>> | null = null;
      return {
        async turn() {
          const drawn = await source.draw(request);
          first ??= drawn;
        },
        answers: async () => new Map([['images', first!.images]]),
        dispose: async () => {},
      };
    },
  };
}
