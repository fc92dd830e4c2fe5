/** A case's weights, fitted to the network that its config describes. */
import { join } from 'node:path';
import type { ParameterLayout } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { createNetwork, type Network } from '../../nets/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Case } from './case.ts';
import { readFloats } from './read-arrays.ts';

export type Parameters = ReadonlyMap<string, TensorData>;

/** The network of a config and the parameters of `weights.safetensors` whose names start with `prefix`. */
export async function networkOf(theCase: Case, config: unknown): Promise<{ network: Network; parameters: Parameters }> {
  const network = createNetwork(config);
  const file = join(theCase.folder, 'weights.safetensors');
  return { network, parameters: select(network.layout, await readFloats(file), '', file) };
}

/**
 * The layout's parameters out of a state dict, without the prefix. Throws UserError('weights') that names the file and
 * the parameter when one is missing or has another shape.
 */
export function select(layout: ParameterLayout, tensors: Parameters, prefix: string, file: string): Parameters {
  return new Map(
    layout.entries.map(({ name, shape }) => {
      const tensor = tensors.get(prefix + name);
      if (!tensor) throw unfit(`${file}: parameter '${prefix}${name}' is missing`);
      if (tensor.shape.join() !== shape.join()) {
        throw unfit(`${file}: '${prefix}${name}' is [${tensor.shape}] where the config asks for [${shape}]`);
      }
      return [name, tensor];
    }),
  );
}

function unfit(message: string): UserError {
  return new UserError('weights', message, 'The weights and the config of the case do not belong together.');
}
