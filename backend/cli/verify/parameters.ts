/** A case's weights, fitted to the network that its config describes. */
import { join } from 'node:path';
import type { ParameterLayout } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { createNetwork, type Network } from '../../nets/index.ts';
import { selectTensors } from '../../weights/select.ts';
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
 * The layout's parameters out of a state dict: those whose names start with the prefix, without it. Throws
 * UserError('weights') that names the file and the parameters that are missing, unexpected or of another shape.
 */
export function select(layout: ParameterLayout, tensors: Parameters, prefix: string, file: string): Parameters {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  const stripped = new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  return selectTensors(stripped, new Map(layout.entries.map(({ name, shape }) => [name, shape])), file);
}
