/** Decoded one-step samples of fixed noise and prompts: the same grid at every recorded step. */

import type { Engine, Feed } from '../../../engine/engine.ts';
import { Graph } from '../../../graph/graph.ts';
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { stream } from '../../../random/stream.ts';
import type { Preview } from '../../../training/session.ts';
import { type Decoder, decodeWith } from './decoder.ts';
import { type LatentShape, latentGenerateGraph } from './generator-graph.ts';

export interface LatentPreviewOptions {
  readonly shape: LatentShape;
  readonly seed: number;
  /** Of the prompts, one per picture, [N, L, D]. */
  readonly context: TensorData;
  readonly decoder: Pick<Decoder, 'vae' | 'readWeights'>;
}

/** From noise to latents, and from these to pictures. */
export async function latentPreviewGraphs({ shape, context, decoder }: LatentPreviewOptions) {
  const [count] = context.shape;
  const decode = new Graph();
  const latents = decode.input('latents', [count, ...shape.network.latentShape]);
  decode.output('images', decodeWith(decoder, await decoder.readWeights())(latents));
  return { generate: latentGenerateGraph(shape, count), decode };
}

export async function latentPreview(engine: Engine, options: LatentPreviewOptions): Promise<Preview> {
  const { shape, seed, context } = options;
  const [count] = context.shape;
  const latent = [count, ...shape.network.latentShape];
  const z = { shape: latent, data: stream(seed, 'samples', 'z').randn(sizeOf(latent)) };
  const graphs = await latentPreviewGraphs(options);
  const generate = await engine.compile(graphs.generate, { name: 'samples' });
  const decode = await engine.compile(graphs.decode, { name: 'decoder' });
  return {
    async images(generator, teacher) {
      const feeds: Record<string, Feed> = { generator, z, context };
      if (shape.generator.adapts) feeds.teacher = teacher!;
      const { x } = await generate.run(feeds);
      const { images } = await decode.run({ latents: x });
      const picture = { shape: images.shape, data: (await images.read()).slice() };
      x.dispose();
      images.dispose();
      return picture;
    },
    async dispose() {
      await generate.dispose();
      await decode.dispose();
    },
  };
}
