/**
 * Convolutions in ONNX Runtime's own blocked layout (NCHWc: [B, C/n, H, W, n], n channels side by side as the processor
 * takes them). The runtime goes there by itself for constant kernels only; in training kernels are values, so the same
 * operators are written here, with the kernel brought into the layout at every run. Counting the way there and back it is up
 * to 1.4 times faster than the runtime's ordinary convolution (docs/performance.md). Inputs of the graph that are nothing but
 * such kernels can be fed in the layout: whoever feeds them brings them there once.
 */
import type { Node, Tensor } from '../../graph.ts';
import type { OnnxAttributes } from '../proto.ts';
import type { OnnxWriter } from '../writer.ts';

const domain = 'com.microsoft.nchwc';

/** Whether a convolution with this kernel [O, C, kh, kw] goes through the layout of n channels per block. */
export function isBlocked(n: number, kernel: Tensor, groups: number): boolean {
  const [outChannels, channels, kh, kw] = kernel.shape;
  const divides = n > 1 && groups === 1 && channels % n === 0 && outChannels % n === 0;
  return divides && kh * kw > 1 && kernel.node.type.name !== 'constant';
}

/** Names of the graph's inputs that its nodes use as kernels in the blocked layout and as nothing else. */
export function kernelInputs(n: number, nodes: readonly Node[], results: Iterable<Tensor>): Set<string> {
  const kernels = new Set<string>();
  const others = new Set<string>();
  // By name: what is recomputed for a gradient has nodes of its own for the same input.
  const note = (names: Set<string>, { node }: Tensor) => {
    if (node.type.name === 'input') names.add(node.attrs.name as string);
  };
  for (const { type, inputs, attrs } of nodes) {
    inputs.forEach((tensor, i) => {
      const isKernel = type.name === 'conv2d' && i === 1 && isBlocked(n, tensor, attrs.groups as number);
      note(isKernel ? kernels : others, tensor);
    });
  }
  for (const result of results) note(others, result);
  return new Set([...kernels].filter((name) => !others.has(name)));
}

/** x [B, C, H, W] with a kernel from `blockedKernel` -> [B, outChannels, H', W']. */
export function blockedConv(
  writer: OnnxWriter,
  x: string,
  kernel: string,
  bias: string | null,
  outChannels: number,
  attributes: OnnxAttributes,
): string {
  const [image] = writer.call('ReorderInput', [x], {}, 1, domain);
  const all = { strides: [1, 1], dilations: [1, 1], group: 1, ...attributes };
  const [result] = writer.call('Conv', bias ? [image, kernel, bias] : [image, kernel], all, 1, domain);
  return writer.call('ReorderOutput', [result], { channels: outChannels }, 1, domain)[0];
}

/** Kernel [O, C, kh, kw] in the blocked layout [O/n, C/n, kh, kw, n (in), n (out)], under its old shape. */
export function blockedKernel(writer: OnnxWriter, w: string, shape: readonly number[]): string {
  const [o, c, kh, kw] = shape;
  const swapped = writer.transpose(writer.reshape(w, [o, c * kh * kw]), [1, 0]);
  return intoBlocks(writer, swapped, [c, kh * kw, o], shape);
}

/** The kernel of the input gradient in the blocked layout; `turned` [O, kh*kw, C] is already turned by 180 degrees. */
export function blockedTurnedKernel(writer: OnnxWriter, turned: string, shape: readonly number[]): string {
  const [o, c, kh, kw] = shape;
  return intoBlocks(writer, turned, [o, kh * kw, c], [c, o, kh, kw]);
}

/** [in, taps, out] -> [out/n, in/n, taps, n, n]: runs of n numbers stay together, which is what makes it cheap. */
function intoBlocks(writer: OnnxWriter, kernel: string, sizes: number[], shape: readonly number[]): string {
  const [channelsIn, taps, channelsOut] = sizes;
  const n = writer.can.channelBlock;
  const split = writer.reshape(kernel, [channelsIn / n, n, taps, channelsOut / n, n]);
  return writer.reshape(writer.transpose(split, [3, 0, 2, 1, 4]), shape);
}
