/**
 * Real images for a text-to-image teacher: the captioned scenes, as latents of the teacher's own autoencoder, each with its caption's
 * embedding.
 */
import { captionedBatch } from '../../data/captioned/captioned-batch.ts';
import { captionedSize } from '../../data/captioned/scene.ts';
import { fitProblem, fitted, type Shape } from '../../data/fit.ts';
import { UserError } from '../../protocol/errors.ts';
import { LatentProgram } from '../../sampling/latent-programs.ts';
import { drawnImages, type RealConfig, type RealSource } from './real-source.ts';
import type { ImageEncoder } from './teacher.ts';

/** Scenes where no other number is asked for, as many as there are captions. */
const usualCount = 20_000;

/** Throws UserError('config') that names the key. */
export async function captionedImages(config: RealConfig, encoder: ImageEncoder, orElse: string): Promise<RealSource> {
  const { source, seed, count, fit, mirror } = config.data;
  const { network, scale, size } = encoder;
  const wanted: Shape = [network.imageChannels, ...size];
  const refuse = (message: string, hint: string) => {
    throw new UserError('config', message, hint);
  };
  if (source !== 'scenes') {
    const message = `data.source: ${source} has no captions, and a text-to-image teacher needs images that have some`;
    refuse(message, `Set data.source to "scenes", the captioned scenes${orElse}.`);
  }
  if (mirror) refuse('data.mirror: captions say where things are', 'Remove the key.');
  const drawn: Shape = [3, captionedSize, captionedSize];
  const problem = fit === 'none' ? different(drawn, wanted) : fitProblem(drawn, wanted, fit);
  if (problem !== '') refuse(`data.fit: ${problem}`, `Set data.fit to "resize"${orElse}.`);
  if (size[0] !== size[1])
    refuse("data.source: scenes are square, and the teacher's images are not", `Choose another teacher${orElse}.`);
  return {
    inputs: (work) => encoder.inputs(work),
    async open(engine, conditions, batch) {
      const weights = await encoder.readWeights();
      const program = await LatentProgram.create(engine, 'encode', { network, size: size[0], batch, weights, scale });
      return {
        async batch(at, images, use) {
          const { indices } = drawnImages(config, count || usualCount, at, images, use);
          const { images: pixels, captions } = captionedBatch(seed, indices);
          const x = await program.run(fit === 'none' ? pixels : fitted(pixels, wanted, fit));
          const rows = { shape: [images, 1], data: Float32Array.from(captions, (_, i) => i) };
          return { x, conditions: await conditions.ofPairs(captions).feeds(rows) };
        },
        dispose: () => program.dispose(),
      };
    },
    close: async () => {},
  };
}

const different = ([, , side]: Shape, [, height, width]: Shape) =>
  side === height && side === width
    ? ''
    : `scenes are ${side} x ${side}, and the teacher's images ${width} x ${height}`;
