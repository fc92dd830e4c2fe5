/**
 * The weights of pytorch-fid's InceptionV3: picked out of its state dict, checked, and each batch norm folded into the
 * convolution before it.
 */
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { inceptionLayout } from './network.ts';

/** Epsilon of every batch norm. */
const epsilon = 1e-3;
const normParts = ['weight', 'bias', 'running_mean', 'running_var'] as const;
const hint = "Give pytorch-fid's pt_inception-2015-12-05-6726825d.pth.";

/** The convolutions by name, with the shapes of their kernels. */
const convolutions = inceptionLayout.entries.flatMap(({ name, shape }) =>
  name.endsWith('.weight') ? [{ name: name.slice(0, -'.weight'.length), shape }] : [],
);

/** What the file holds of what is needed: NAME.conv.weight and NAME.bn.{weight,bias,running_mean,running_var}. */
export const inceptionFileTensors: readonly { readonly name: string; readonly shape: readonly number[] }[] =
  convolutions.flatMap(({ name, shape }) => [
    { name: `${name}.conv.weight`, shape },
    ...normParts.map((part) => ({ name: `${name}.bn.${part}`, shape: shape.slice(0, 1) })),
  ]);

/**
 * The folded parameters, by the names of `inceptionLayout`. The file's classifier (fc) and counters are passed over.
 * Throws UserError('weights') that names the first tensor missing, of another shape or not finite.
 * @param source the file, for messages
 */
export function inceptionWeights(tensors: ReadonlyMap<string, TensorData>, source: string): Map<string, TensorData> {
  if ([...tensors.keys()].some((name) => name.startsWith('AuxLogits.'))) {
    const message = `${source} is torchvision's InceptionV3, trained on other pictures than the one FID is defined with`;
    throw new UserError('weights', message, hint);
  }
  for (const { name, shape } of inceptionFileTensors) checkTensor(name, shape, tensors.get(name), source);
  const folded = new Map<string, TensorData>();
  for (const { name, shape } of convolutions) {
    const [scale, shift, mean, variance] = normParts.map((part) => tensors.get(`${name}.bn.${part}`)!.data) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const factor = Array.from(scale, (value, i) => value / Math.sqrt(variance[i]! + epsilon));
    const perOutput = sizeOf(shape.slice(1));
    const kernel = tensors.get(`${name}.conv.weight`)!.data;
    folded.set(`${name}.weight`, { shape, data: kernel.map((value, k) => value * factor[Math.floor(k / perOutput)]!) });
    const bias = Float32Array.from(shift, (value, i) => value - mean[i]! * factor[i]!);
    folded.set(`${name}.bias`, { shape: shape.slice(0, 1), data: bias });
  }
  return folded;
}

function checkTensor(name: string, shape: readonly number[], value: TensorData | undefined, source: string): void {
  if (!value)
    throw new UserError('weights', `${source}: '${name}' is missing: these are no weights of InceptionV3`, hint);
  if (value.shape.join() !== shape.join()) {
    const shapes = `'${name}' is [${value.shape.join(', ')}] where InceptionV3 has [${shape.join(', ')}]`;
    throw new UserError('weights', `${source}: ${shapes}`, hint);
  }
  const bad = value.data.find((number) => !Number.isFinite(number));
  if (bad !== undefined) throw new UserError('weights', `${source}: '${name}' holds ${bad}`, 'Fetch the file again.');
  if (name.endsWith('running_var') && value.data.some((number) => number < 0)) {
    throw new UserError('weights', `${source}: '${name}' holds a negative variance`, 'Fetch the file again.');
  }
}
