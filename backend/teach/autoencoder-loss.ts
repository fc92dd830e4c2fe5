/**
 * The loss an autoencoder of latent diffusion is trained with (Rombach et al., arXiv 2112.10752, appendix G; the latents' part
 * is that of Kingma and Welling, arXiv 1312.6114), with a distance between neighbouring pixels' differences in place of
 * perceptual and adversarial losses.
 */
import { gradients } from '../graph/gradients.ts';
import { Graph, type Tensor } from '../graph/graph.ts';
import { abs, add, detach, exp, mean, mul, reshape, sliceAxis, square, sub } from '../graph/ops/index.ts';
import { collectParameters, outputGradient, parameterInputs } from '../graph/parameters.ts';
import { type GaussianAutoencoder, latentShapeOf } from '../models/autoencoder.ts';

export interface AutoencoderLossWeights {
  readonly distance: 'l1' | 'l2';
  /** Weight of the distance between differences of neighbouring pixels. */
  readonly edges: number;
  /** Weight of the divergence from a standard normal, per latent number. */
  readonly kl: number;
}

/** What is trained of an autoencoder. */
export type AutoencoderParts = 'all' | 'decoder';

/**
 * @param trains `decoder` leaves the encoder as it is: its gradient is zero
 *
 * Inputs: parameters [N], images [B, C, size, size], noise [B, ...latent] standard normal.
 * Outputs: loss, reconstruction, edges, kl [1] (the parts before their weights), gradient [N].
 */
export function autoencoderLossGraph(
  network: GaussianAutoencoder,
  size: number,
  batch: number,
  { distance, edges, kl }: AutoencoderLossWeights,
  trains: AutoencoderParts = 'all',
): Graph {
  const graph = new Graph();
  const parameters = parameterInputs(graph, 'parameters', network.layout);
  const images = graph.input('images', [batch, network.imageChannels, size, size]);
  const noise = graph.input('noise', [batch, ...latentShapeOf(network, size)]);
  const { mean: centre, logVariance } = network.encode(parameters, images);
  if (!logVariance) throw new Error('an autoencoder without variances cannot be trained with this loss');
  const drawn = add(centre, mul(exp(mul(logVariance, 0.5)), noise));
  const latents = trains === 'decoder' ? detach(drawn) : drawn;
  const error = sub(network.decode(parameters, latents), images);
  const far = (difference: Tensor) => mean(distance === 'l1' ? abs(difference) : square(difference));
  const parts = {
    reconstruction: far(error),
    edges: mul(add(far(steps(error, 2)), far(steps(error, 3))), 0.5),
    kl: mul(mean(sub(add(square(centre), exp(logVariance)), add(logVariance, 1))), 0.5),
  };
  const decoded = add(parts.reconstruction, mul(parts.edges, edges));
  const loss = trains === 'decoder' ? decoded : add(decoded, mul(parts.kl, kl));
  graph.output('loss', reshape(loss, [1]));
  for (const [name, part] of Object.entries(parts)) graph.output(name, reshape(part, [1]));
  const trained = trains === 'decoder' ? decoderNames(network) : null;
  const isTrained = (index: number) => trained?.has(network.layout.entries[index].name) ?? true;
  const found = gradients(
    loss,
    parameters.tensors.filter((_, i) => isTrained(i)),
  ).values();
  const all = parameters.tensors.map((tensor, i) => (isTrained(i) ? found.next().value! : mul(tensor, 0)));
  outputGradient(network.layout, all);
  return graph;
}

function decoderNames(network: GaussianAutoencoder): ReadonlySet<string> {
  const { latentChannels } = network;
  const { entries } = collectParameters((source) => {
    network.decode(source, source.graph.input('latents', [1, latentChannels, 1, 1]));
  });
  return new Set(entries.map(({ name }) => name));
}

/** From each pixel to the next one along an axis. */
function steps(x: Tensor, axis: number): Tensor {
  const length = x.shape[axis];
  return sub(sliceAxis(x, axis, 1, length), sliceAxis(x, axis, 0, length - 1));
}
