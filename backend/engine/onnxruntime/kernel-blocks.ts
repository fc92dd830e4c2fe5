/**
 * Kernels of convolutions in ONNX Runtime's blocked layout, as graph/onnx/lower/conv-blocked.ts has it: [O, C, kh, kw] becomes
 * [O/n, C/n, kh, kw, n (in), n (out)]. Nothing but the order of the numbers changes.
 */

import { ranges, sizeOf } from '../../graph/tensor-data.ts';

type KernelShape = readonly number[];

/** O and C must be multiples of n. @param blocked where to put them; new memory unless given */
export function intoBlocks(
  kernel: Float32Array,
  shape: KernelShape,
  n: number,
  blocked: Float32Array = new Float32Array(kernel.length),
): Float32Array {
  eachRun(shape, n, (plain, inBlocks, taps, step) => {
    for (let tap = 0; tap < taps; tap++) blocked[inBlocks + tap * step] = kernel[plain + tap]!;
  });
  return blocked;
}

/** The same where the numbers are: the first axes of both layouts agree, so that n output channels at a time stay together. */
export function rearrangeIntoBlocks(kernel: Float32Array, [, ...rest]: KernelShape, n: number): void {
  const size = n * sizeOf(rest);
  const plain = new Float32Array(size);
  for (const [start, end] of ranges(kernel.length, size)) {
    const part = kernel.subarray(start, end);
    plain.set(part);
    intoBlocks(plain, [n, ...rest], n, part);
  }
}

/** The other way round; `shape` is still [O, C, kh, kw]. */
export function outOfBlocks(blocked: Float32Array, shape: KernelShape, n: number): Float32Array<ArrayBuffer> {
  const kernel = new Float32Array(blocked.length);
  eachRun(shape, n, (plain, inBlocks, taps, step) => {
    for (let tap = 0; tap < taps; tap++) kernel[plain + tap] = blocked[inBlocks + tap * step]!;
  });
  return kernel;
}

/** Visits the taps of every pair of channels, which lie side by side in the one layout and `step` apart in the other. */
function eachRun(
  [outChannels, channels, height, width]: KernelShape,
  n: number,
  visit: (plain: number, inBlocks: number, taps: number, step: number) => void,
): void {
  const taps = height! * width!;
  // Block by block, so that what is written stays in the processor's cache until it is whole.
  for (let oBlock = 0; oBlock < outChannels!; oBlock += n) {
    for (let cBlock = 0; cBlock < channels!; cBlock += n) {
      const start = (oBlock * channels! + cBlock * n) * taps;
      for (let o = 0; o < n; o++) {
        const row = ((oBlock + o) * channels! + cBlock) * taps;
        for (let c = 0; c < n; c++) visit(row + c * taps, start + c * n + o, taps, n * n);
      }
    }
  }
}
