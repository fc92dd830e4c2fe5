/** The fixed noise and classes that a run's sample grids are made from, from a random stream of their own. */
import { oneHot } from '../data/dataset.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { Network } from '../nets/index.ts';
import { stream } from '../random/stream.ts';

/** z [count, C, H, W] standard normal; one-hot labels [count, labelDim], the classes in turn. */
export function previewInputs(network: Network, count: number, seed: number): { z: TensorData; labels: TensorData } {
  const shape = [count, ...network.imageShape];
  const { labelDim } = network;
  const classes = Array.from({ length: count }, (_, i) => (labelDim > 0 ? i % labelDim : 0));
  return {
    z: { shape, data: stream(seed, 'samples', 'z').randn(sizeOf(shape)) },
    labels: oneHot(classes, labelDim),
  };
}
