/**
 * The convolutional part of VGG16 (Simonyan and Zisserman, arXiv 1409.1556; torchvision's `features`), with the output
 * of the last rectifier before each pooling. Parameter names are those of LPIPS: net.slice{K}.{J}, J the index in
 * torchvision's list.
 */
import type { Tensor } from '../../graph/graph.ts';
import { conv2d, max, relu, reshape, sliceAxis } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';

interface Slice {
  readonly channels: number;
  /** Positions of the 3x3 convolutions in torchvision's list. */
  readonly layers: readonly number[];
}

export const vggSlices: readonly Slice[] = [
  { channels: 64, layers: [0, 2] },
  { channels: 128, layers: [5, 7] },
  { channels: 256, layers: [10, 12, 14] },
  { channels: 512, layers: [17, 19, 21] },
  { channels: 512, layers: [24, 26, 28] },
];

/** x [B, 3, H, W], H and W at least 16 -> five images, the k-th with sides H/2^k and W/2^k rounded down. */
export function vgg16Features(p: ParameterSource, x: Tensor): Tensor[] {
  let h = x;
  return vggSlices.map(({ channels, layers }, k) =>
    x.graph.scope(`vgg.slice${k + 1}`, () => {
      if (k > 0) h = maxPool2(h);
      for (const layer of layers) {
        const name = `net.slice${k + 1}.${layer}`;
        const fanIn = h.shape[1] * 9;
        const weight = p.get(`${name}.weight`, [channels, h.shape[1], 3, 3], {
          kind: 'normal',
          std: Math.sqrt(2 / fanIn),
        });
        const bias = p.get(`${name}.bias`, [channels], { kind: 'zeros' });
        h = relu(conv2d(h, weight, bias, { padding: 1 }));
      }
      return h;
    }),
  );
}

/** Largest of every 2x2 block; an odd last row or column is left out. */
export function maxPool2(x: Tensor): Tensor {
  const [batch, channels] = x.shape;
  const [height, width] = x.shape.slice(2).map((size) => Math.floor(size / 2));
  const even = sliceTo(sliceTo(x, 2, 2 * height), 3, 2 * width);
  return max(reshape(even, [batch, channels, height, 2, width, 2]), { axes: [3, 5] });
}

const sliceTo = (x: Tensor, axis: number, end: number) => (x.shape[axis] === end ? x : sliceAxis(x, axis, 0, end));
