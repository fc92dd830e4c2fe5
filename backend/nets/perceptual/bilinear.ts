/** Bilinear resizing as two matrix products with constant matrices; differentiable like any product. */
import type { Tensor } from '../../graph/graph.ts';
import { matmul } from '../../graph/ops/index.ts';

/**
 * Row i holds the weights of the input samples in output sample i, with pixel centres at half-integers and the border
 * repeated (torch.nn.functional.interpolate, align_corners=False, no antialiasing). [to, from] in row-major order.
 */
export function interpolationMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.floor(position);
    const high = Math.min(low + 1, from - 1);
    const fraction = position - low;
    matrix[i * from + low] += 1 - fraction;
    matrix[i * from + high] += fraction;
  }
  return matrix;
}

/** x [B, C, H, W] -> [B, C, height, width]. */
export function resizeBilinear(x: Tensor, height: number, width: number): Tensor {
  const [, , oldHeight, oldWidth] = x.shape;
  const { graph } = x;
  let resized = x;
  if (width !== oldWidth) {
    const columns = graph.constant([width, oldWidth], interpolationMatrix(oldWidth, width));
    resized = matmul(resized, columns, { transB: true });
  }
  if (height !== oldHeight) {
    resized = matmul(graph.constant([height, oldHeight], interpolationMatrix(oldHeight, height)), resized);
  }
  return resized;
}
