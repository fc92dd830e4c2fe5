/** The network of generator and fake score for points of the plane, and a generator that makes a blob before it has learnt anything. */
import { initialParameters, packParameters, unpackParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { createNetwork, type Network } from '../nets/index.ts';

type Random = Parameters<typeof initialParameters>[1];

/** A point is an image of one pixel with a channel per coordinate. */
export function planeNetwork(width: number): Network {
  return createNetwork({
    ...{ class: 'EDMPrecond', model_type: 'MLP', img_resolution: 1, img_channels: 2 },
    ...{ model_channels: width, num_blocks: 2 },
  });
}

export interface Blob {
  readonly centre: readonly [number, number];
  readonly std: number;
}

/**
 * Random parameters of `planeNetwork` with which D(sigma z; sigma) = centre + std z, z standard normal, to about 1e-3 of the scale: four
 * hidden numbers carry +z and -z past the residual blocks, and silu(a) - silu(-a) = a is exactly linear. All others are drawn as ever,
 * so that it learns like any untrained network.
 * @param sigma noise level at which the generator is called
 */
export function blobParameters(network: Network, { centre, std }: Blob, sigma: number, random: Random): Float32Array {
  const { layout, config } = network;
  const values = unpackParameters(layout, initialParameters(layout, random));
  const sigmaData = 'sigma_data' in config ? config.sigma_data : 0.5;
  const root = Math.hypot(sigma, sigmaData);
  // EDM's preconditioning: D = skip x + out F(in x).
  const [skip, out, scale] = [sigmaData ** 2 / root ** 2, (sigma * sigmaData) / root, sigma / root];
  const slope = (std - skip * sigma) / (out * scale);
  for (const axis of [0, 1]) {
    for (const sign of [1, -1]) {
      const unit = 2 * axis + (sign > 0 ? 0 : 1);
      setRow(values, 'model.input.weight', unit, (column) => (column === axis ? sign : 0));
      for (const block of ['model.block0', 'model.block1']) setRow(values, `${block}.layer1.weight`, unit, () => 0);
      rowOf(values, 'model.output.weight', axis)[unit] = sign * slope;
      rowOf(values, 'model.output.weight', 1 - axis)[unit] = 0;
    }
    get(values, 'model.output.bias').data[axis] = centre[axis]! / out;
  }
  return packParameters(layout, values);
}

type Values = ReadonlyMap<string, TensorData>;

function get(values: Values, name: string): TensorData {
  const found = values.get(name);
  if (!found) throw new Error(`the network has no ${name}`);
  return found;
}

/** A row of a weight [rows, columns], to be written. */
function rowOf(values: Values, name: string, row: number): Float32Array {
  const { shape, data } = get(values, name);
  const columns = shape[1]!;
  return data.subarray(row * columns, (row + 1) * columns);
}

function setRow(values: Values, name: string, row: number, of: (column: number) => number): void {
  const own = rowOf(values, name, row);
  own.forEach((_, column) => {
    own[column] = of(column);
  });
}
