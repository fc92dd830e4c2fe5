/**
 * LPIPS, the learned perceptual distance (Zhang et al. 2018, arXiv 1801.03924; version 0.1 on VGG16): weighted squared
 * differences of unit-normalised features, averaged over positions, summed over five layers.
 */
import type { Graph, Tensor } from '../../graph/graph.ts';
import {
  add,
  channelAffine,
  concat,
  conv2d,
  div,
  maximum,
  mean,
  mul,
  sqrt,
  square,
  sub,
  sum,
} from '../../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { resizeBilinear } from './bilinear.ts';
import { vgg16Features, vggSlices } from './vgg16.ts';

/** Mean and deviation of ImageNet's channels on the [-1, 1] scale. */
const shift = [-0.03, -0.088, -0.188];
const scale = [0.458, 0.448, 0.45];

export interface LpipsOptions {
  /** Side to which both images are resized bilinearly first; left out, they are compared as they are. */
  readonly resize?: number;
  /** The images are in [0, 1] instead of [-1, 1]. */
  readonly normalize?: boolean;
}

/** Contributions of the five layers, [B, 5]. Images are [B, 3, H, W] in [-1, 1], at least 16 pixels a side. */
export function lpipsLayers(p: ParameterSource, a: Tensor, b: Tensor, options: LpipsOptions = {}): Tensor {
  const { resize, normalize = false } = options;
  const features = [a, b].map((image) => {
    const ranged = normalize ? sub(mul(image, 2), 1) : image;
    return vgg16Features(p, standardized(resize ? resizeBilinear(ranged, resize, resize) : ranged));
  });
  const parts = vggSlices.map(({ channels }, k) => {
    const name = `lin${k}.model.1.weight`;
    const weight = p.get(name, [1, channels, 1, 1], { kind: 'uniform', bound: 1 / channels });
    const difference = sub(unit(features[0][k]), unit(features[1][k]));
    return mean(conv2d(square(difference), weight, null), { axes: [2, 3] });
  });
  return concat(parts, 1);
}

/** The distance of each pair, [B]; 0 for equal images. */
export function lpips(p: ParameterSource, a: Tensor, b: Tensor, options: LpipsOptions = {}): Tensor {
  return sum(lpipsLayers(p, a, b, options), { axes: [1] });
}

/** Names and shapes of the weights: net.slice{K}.{J}.weight and .bias, lin{K}.model.1.weight. */
export const lpipsLayout: ParameterLayout = collectParameters((source) => {
  const image = (graph: Graph, name: string) => graph.input(name, [1, 3, 16, 16]);
  lpips(source, image(source.graph, 'a'), image(source.graph, 'b'));
});

/**
 * Picks the weights out of what a person has: a whole LPIPS state dict, or torchvision's vgg16 (features.J...) together
 * with LPIPS' own linear layers. Throws UserError('weights') that names the first tensor missing, of another shape or
 * not finite.
 * @param source the file or files they come from, for messages
 */
export function lpipsWeights(tensors: ReadonlyMap<string, TensorData>, source: string): Map<string, TensorData> {
  const found = new Map<string, TensorData>();
  for (const { name, shape } of lpipsLayout.entries) {
    const torchvision = name.replace(/^net\.slice\d\./, 'features.');
    const value = tensors.get(name) ?? tensors.get(torchvision);
    if (!value) {
      throw new UserError(
        'weights',
        `${source}: '${name}'${torchvision === name ? '' : ` (or '${torchvision}')`} is missing`,
        "Give LPIPS' weights/v0.1/vgg.pth and torchvision's vgg16, or one file with a whole LPIPS state dict.",
      );
    }
    if (value.shape.join() !== shape.join()) {
      const shapes = `'${name}' is [${value.shape}] where LPIPS on VGG16 has [${shape}]`;
      throw new UserError('weights', `${source}: ${shapes}`, 'Give the weights of LPIPS 0.1 on VGG16.');
    }
    const bad = value.data.find((number) => !Number.isFinite(number));
    if (bad !== undefined) {
      throw new UserError('weights', `${source}: '${name}' holds ${bad}`, 'Fetch the file again.');
    }
    found.set(name, value);
  }
  return found;
}

function standardized(image: Tensor): Tensor {
  const factors = (values: number[]) => image.graph.constant([3], values);
  return channelAffine(image, factors(scale.map((s) => 1 / s)), factors(scale.map((s, i) => -shift[i] / s)));
}

/** Features over their length across channels. The bound keeps the gradient finite where all features are 0. */
function unit(features: Tensor): Tensor {
  const squares = maximum(sum(square(features), { axes: [1], keepDims: true }), 1e-30);
  return div(features, add(sqrt(squares), 1e-10));
}
