/**
 * CLIP's image encoder and its two projections (Radford et al. 2021, arXiv 2103.00020; transformers' CLIPModel), for the CLIP
 * score. An image is cut into patches, each a token, behind one token that stands for the whole. Together with the text
 * encoder of `stable-diffusion/clip-text.ts` it puts pictures and sentences into one space, where angles compare them.
 */
import { z } from 'zod';
import type { Tensor } from '../graph/graph.ts';
import { add, broadcastTo, concat, conv2d, linear, matmul, reshape, sliceAxis, transpose } from '../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';
import { scoped } from './edm/layers.ts';
import { createClipText, encoderLayer, type TextEncoder } from './stable-diffusion/clip-text.ts';
import { blocks, count, parseModelConfig, positive, unsupported } from './stable-diffusion/config.ts';
import { layerNormLayer } from './stable-diffusion/layers.ts';

const what = 'CLIPModel';

const visionShape = {
  hidden_size: count.default(768),
  intermediate_size: count.default(3072),
  num_hidden_layers: blocks.default(12),
  num_attention_heads: count.default(12),
  num_channels: z.literal(3).default(3),
  image_size: z.int().positive().max(4096).default(224),
  patch_size: count.default(32),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: positive.default(1e-5),
  initializer_factor: positive.default(1),
};
type VisionConfig = z.output<z.ZodObject<typeof visionShape>>;

const modelShape = {
  model_type: z.literal('clip').default('clip'),
  projection_dim: count.default(512),
  text_config: z.record(z.string(), z.unknown()),
  vision_config: z.record(z.string(), z.unknown()),
};

export interface ClipModel {
  /** Names as in transformers' files: vision_model..., text_model..., visual_projection.weight, text_projection.weight. */
  readonly layout: ParameterLayout;
  /** Pixels per side of the images it takes. */
  readonly imageSide: number;
  /** Tokens of a text, its begin and end included. */
  readonly maxTokens: number;
  /** One more than the greatest token. */
  readonly vocabularySize: number;
  /** Numbers of an embedding. */
  readonly embeddingDim: number;
  /** pixels [B, 3, imageSide, imageSide], standardised as CLIP's processor does -> [B, embeddingDim], of any length. */
  embedImages(source: ParameterSource, pixels: Tensor): Tensor;
  /**
   * ids [B, L] whole numbers held as float32, end [B, L] 1 at each text's end token and 0 elsewhere -> [B, embeddingDim], of
   * any length. What comes after the end has no influence.
   */
  embedTexts(source: ParameterSource, ids: Tensor, end: Tensor): Tensor;
}

/** Of the config.json of transformers' CLIPModel. Throws UserError('config') that names key and value. */
export function createClipModel(rawConfig: unknown): ClipModel {
  const config = parseModelConfig(what, modelShape, rawConfig, 'ignore');
  const vision = parseModelConfig(`${what}'s vision_config`, visionShape, config.vision_config, 'ignore');
  const { hidden_size: width, num_attention_heads: heads, image_size: side, patch_size: patch } = vision;
  if (width % heads !== 0) throw unsupported(what, 'num_attention_heads', heads, `${width} does not divide into them`);
  if (side % patch !== 0)
    throw unsupported(what, 'patch_size', patch, `${side} pixels do not divide into such patches`);
  const text = createClipText({ ...config.text_config, model_type: 'clip_text_model' });
  const dims = config.projection_dim;

  const embedImages: ClipModel['embedImages'] = (source, pixels) =>
    project(
      source,
      'visual_projection',
      pixels.graph.scope('vision', () => imageState(source, vision, pixels)),
      dims,
    );
  const embedTexts: ClipModel['embedTexts'] = (source, ids, end) => projectTexts(source, text, { ids, end }, dims);
  const layout = collectParameters((source) => {
    const { graph } = source;
    embedImages(source, graph.input('pixels', [1, 3, side, side]));
    embedTexts(source, graph.input('ids', [1, text.maxTokens]), graph.input('end', [1, text.maxTokens]));
  });
  const sizes = { imageSide: side, maxTokens: text.maxTokens, vocabularySize: text.config.vocab_size };
  return { layout, ...sizes, embeddingDim: dims, embedImages, embedTexts };
}

/** The state at each text's end token, projected: ids [B, L] and end [B, L] as `ClipModel.embedTexts` takes them -> [B, dims]. */
export function projectTexts(
  source: ParameterSource,
  text: TextEncoder,
  { ids, end }: { readonly ids: Tensor; readonly end: Tensor },
  dims: number,
): Tensor {
  const [batch, length] = ids.shape;
  const states = ids.graph.scope('text', () => text.encode(source, ids));
  const last = matmul(reshape(end, [batch, 1, length]), states);
  return project(source, 'text_projection', reshape(last, [batch, text.contextDim]), dims);
}

function project(source: ParameterSource, name: string, x: Tensor, dims: number): Tensor {
  const std = x.shape[1] ** -0.5;
  return linear(x, source.get(`${name}.weight`, [dims, x.shape[1]], { kind: 'normal', std }));
}

/** The state of the token that stands for the image, [B, width]. */
function imageState(source: ParameterSource, config: VisionConfig, pixels: Tensor): Tensor {
  const { hidden_size: width, image_size: side, patch_size: patch, layer_norm_eps: epsilon } = config;
  const [batch] = pixels.shape;
  if (pixels.shape.join() !== [batch, 3, side, side].join()) {
    throw new Error(`images are [${pixels.shape}] where CLIP wants [B, 3, ${side}, ${side}]`);
  }
  const p = scoped(source, 'vision_model');
  const tokens = (side / patch) ** 2 + 1;
  const embedded = embed(scoped(p, 'embeddings'), config, pixels, tokens);
  // transformers' own spelling.
  let h = layerNormLayer(p, 'pre_layrnorm', reshape(embedded, [batch * tokens, width]), epsilon);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    h = pixels.graph.scope(`layers.${i}`, () =>
      encoderLayer(scoped(p, `encoder.layers.${i}`), config, h, batch, false),
    );
  }
  const first = sliceAxis(reshape(h, [batch, tokens, width]), 1, 0, 1);
  return layerNormLayer(p, 'post_layernorm', reshape(first, [batch, width]), epsilon);
}

/** The image's token and its patches' with their places, [B, tokens, width]. */
function embed(p: ParameterSource, config: VisionConfig, pixels: Tensor, tokens: number): Tensor {
  const { hidden_size: width, patch_size: patch, initializer_factor: factor } = config;
  const [batch] = pixels.shape;
  const whole = p.get('class_embedding', [width], { kind: 'normal', std: width ** -0.5 * factor });
  const kernel = p.get('patch_embedding.weight', [width, 3, patch, patch], { kind: 'normal', std: 0.02 * factor });
  const places = p.get('position_embedding.weight', [tokens, width], { kind: 'normal', std: 0.02 * factor });
  const patches = reshape(conv2d(pixels, kernel, null, { stride: patch }), [batch, width, tokens - 1]);
  const first = broadcastTo(reshape(whole, [1, 1, width]), [batch, 1, width]);
  return add(concat([first, transpose(patches, [0, 2, 1])], 1), places);
}
