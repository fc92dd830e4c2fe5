/**
 * The three networks of a text-to-image model as graphs under Optimum's names of inputs and outputs. Shapes are fixed:
 * the networks are written for a number of images and their size.
 */
import { Graph } from '../../graph/graph.ts';
import { broadcastTo } from '../../graph/ops/index.ts';
import { constantParameters, type ParameterSource } from '../../graph/parameters.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import type { OnnxPart } from '../../weights/diffusers/index.ts';

export interface ExportShape {
  /** Images per call of the decoder. */
  readonly batch: number;
  /** Rows per call of the UNet: twice the images for a teacher with guidance. */
  readonly rows: number;
  /** [h, w] of the latents. */
  readonly latentSize: readonly [number, number];
}

/** Where the weights of each part are. */
export const componentOfPart = { text_encoder: 'text_encoder', unet: 'unet', vae_decoder: 'vae' } as const;
/** The network of each part. */
export const networkOfPart = { text_encoder: 'textEncoder', unet: 'unet', vae_decoder: 'vae' } as const;

/** Reads the weights of one part; the graph holds them as constants. Throws UserError('weights'). */
export async function exportGraph(model: TextModel, part: OnnxPart, shape: ExportShape): Promise<Graph> {
  const graph = new Graph();
  builders[part](model, constantParameters(graph, await model.readWeights(componentOfPart[part])), shape);
  return graph;
}

type Builder = (model: TextModel, source: ParameterSource, shape: ExportShape) => void;

const builders: Readonly<Record<OnnxPart, Builder>> = {
  text_encoder({ textEncoder, tokenizer }, source) {
    const ids = source.graph.input('input_ids', [1, tokenizer.maxTokens]);
    source.graph.output('last_hidden_state', textEncoder.encode(source, ids));
  },
  unet({ unet, tokenizer }, source, { rows, latentSize }) {
    const { graph } = source;
    const sample = graph.input('sample', [rows, unet.latentShape[0], ...latentSize]);
    // One for all: what other programs feed.
    const timestep = broadcastTo(graph.input('timestep', [1]), [rows]);
    const context = graph.input('encoder_hidden_states', [rows, tokenizer.maxTokens, unet.contextDim]);
    graph.output('out_sample', unet.predict(source, sample, timestep, context));
  },
  vae_decoder({ vae }, source, { batch, latentSize }) {
    const latents = source.graph.input('latent_sample', [batch, vae.latentChannels, ...latentSize]);
    source.graph.output('sample', vae.decode(source, latents));
  },
};
