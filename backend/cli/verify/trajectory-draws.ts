/** The random draws and the pairs of a recorded trajectory, in the form the trainer takes them. */

import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ReferencePairs } from '../../methods/common/pairs.ts';
import type { HostTensors } from '../../models/conditions.ts';
import type { Network } from '../../nets/index.ts';
import type { DrawPoint, Draws } from '../../training/draws.ts';
import { type Case, damaged } from './case.ts';
import type { TrajectoryConfig } from './trajectory-config.ts';

export function recordedDraws(theCase: Case, config: TrajectoryConfig, network: Network, levels: number): Draws {
  const { iterations, batch } = config;
  const image = [iterations, batch, ...network.imageShape];
  const z = scaledNoise(theCase, 'z', image, config);
  const labels = network.labelDim > 0 ? theCase.input('labels', [iterations, batch, network.labelDim]) : null;
  const none = { shape: [batch, 0], data: new Float32Array() };
  const kept = (name: string) => {
    const noise = theCase.input(`${name}_noise`, image);
    const timesteps = theCase.input(`${name}_timesteps`, [iterations, batch, ...network.imageShape.map(() => 1)]);
    return ({ step }: DrawPoint) => ({
      indices: Array.from(iteration(timesteps, step).data, (index) => level(theCase, levels, index)),
      noise: iteration(noise, step),
    });
  };
  return {
    latents: ({ step }) => ({ z: iteration(z, step), rows: labels ? iteration(labels, step) : none }),
    matching: kept('dm'),
    fake: kept('fake'),
  };
}

export function recordedPairs(theCase: Case, config: TrajectoryConfig, network: Network): ReferencePairs {
  const { iterations, batch_ref: batch } = config;
  const image = [iterations, batch, ...network.imageShape];
  const z = scaledNoise(theCase, 'z_ref', image, config);
  const y = theCase.input('y_ref', image);
  const labels = network.labelDim > 0 ? theCase.input('labels_ref', [iterations, batch, network.labelDim]) : null;
  return {
    async batch(step) {
      const conditions: HostTensors = labels ? { labels: iteration(labels, step) } : {};
      return { z: iteration(z, step), y: iteration(y, step), conditions };
    },
  };
}

/** The trainer calls D(sigma z; sigma); where the case scales the noise by another sigma, that goes into the noise. */
function scaledNoise(theCase: Case, name: string, shape: readonly number[], config: TrajectoryConfig): TensorData {
  const { sigma_max: scale, conditioning_sigma: sigma } = config;
  const noise = theCase.input(name, shape);
  return scale === sigma ? noise : { shape: noise.shape, data: noise.data.map((value) => (value * scale) / sigma) };
}

/** The entry of iteration `step`, 1 for the first, along the leading axis. */
function iteration({ shape: [, ...shape], data }: TensorData, step: number): TensorData {
  const size = sizeOf(shape);
  return { shape, data: data.slice((step - 1) * size, step * size) };
}

function level(theCase: Case, levels: number, index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < levels) return index;
  throw damaged(`${theCase.name}: there is no noise level with the index ${index}`);
}
