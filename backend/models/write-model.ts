/** Writes a trained network as a file that says what it is: safetensors with the network's configuration in its header. */
import { configKey } from '../weights/load.ts';
import { type TensorEntries, writeSafetensors } from '../weights/safetensors.ts';

/**
 * @param config the network's constructor arguments
 * @param weights may come from sources, which are read while the file is written
 * @param half float16 instead of float32: half the size, rounded to 11 bits
 * @throws UserError('io'), or UserError('weights') when a value does not fit float16
 */
export async function writeModel(
  file: string,
  config: object,
  weights: TensorEntries,
  metadata: Readonly<Record<string, string>>,
  half: boolean,
): Promise<void> {
  await writeSafetensors(file, weights, {
    metadata: { [configKey]: JSON.stringify(config), ...metadata },
    dtype: half ? 'F16' : 'F32',
  });
}
