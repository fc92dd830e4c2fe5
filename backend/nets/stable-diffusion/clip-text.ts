/**
 * CLIP's text encoder (Radford et al. 2021, arXiv 2103.00020; transformers' CLIPTextModel): a causal transformer over tokens.
 * Stable Diffusion 1 reads the state after its last layer norm; SD 2 uses a larger one that already lacks its last layer.
 */
import { z } from 'zod';
import type { Tensor } from '../../graph/graph.ts';
import { add, embedding, gelu, headAttention, linear, quickGelu, reshape, sliceAxis } from '../../graph/ops/index.ts';
import { collectParameters, type Init, type ParameterLayout, type ParameterSource } from '../../graph/parameters.ts';
import { most } from '../../protocol/network-bounds.ts';
import { scoped } from '../edm/layers.ts';
import { blocks, count, parseModelConfig, positive, unsupported } from './config.ts';
import { layerNormLayer } from './layers.ts';

const what = 'CLIPTextModel';

const shape = {
  vocab_size: z.int().positive().max(most.tokens).default(49408),
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  num_hidden_layers: blocks.default(12),
  num_attention_heads: count.default(8),
  max_position_embeddings: count.default(77),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: positive.default(1e-5),
  initializer_factor: positive.default(1),
  model_type: z.literal('clip_text_model').default('clip_text_model'),
  architectures: z.array(z.enum(['CLIPTextModel', 'CLIPTextModelWithProjection'])).nullish(),
};

/** Every key present, defaults filled in. transformers' files hold many more, which say nothing about the hidden state. */
export type ClipTextConfig = z.output<z.ZodObject<typeof shape>>;

export interface TextEncoder {
  readonly config: ClipTextConfig;
  /** Names as in transformers' files: text_model.encoder.layers.0.self_attn.q_proj.weight, ... */
  readonly layout: ParameterLayout;
  /** Tokens of a prompt, its begin and end included. */
  readonly maxTokens: number;
  readonly contextDim: number;
  /**
   * The hidden state after the final layer norm, [B, L, contextDim]. ids [B, L], L at most maxTokens, are whole numbers
   * from 0 to vocab_size - 1 held as float32.
   */
  encode(source: ParameterSource, ids: Tensor): Tensor;
}

export interface TextEncoderOptions {
  /** Layers left out at the end, as diffusers' clip_skip: 1 reads the last but one. Their parameters stay in the layout. */
  readonly clipSkip?: number;
}

/** Throws UserError('config') that names key and value. */
export function createClipText(rawConfig: unknown, { clipSkip = 0 }: TextEncoderOptions = {}): TextEncoder {
  const config = parseModelConfig(what, shape, rawConfig, 'ignore');
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers } = config;
  if (width % heads !== 0) {
    throw unsupported(what, 'num_attention_heads', heads, `hidden_size ${width} does not divide into that many heads`);
  }
  if (!Number.isInteger(clipSkip) || clipSkip < 0 || clipSkip >= layers) {
    throw unsupported(what, 'clip_skip', clipSkip, `the encoder has ${layers} layers, and one must be left`);
  }
  const encode = (source: ParameterSource, ids: Tensor, used: number) => {
    const [batch, length] = ids.shape;
    if (ids.shape.length !== 2 || length > config.max_position_embeddings) {
      throw new Error(
        `ids are [${ids.shape}] where the text encoder wants [B, at most ${config.max_position_embeddings}]`,
      );
    }
    const p = scoped(source, 'text_model');
    let h = reshape(embed(scoped(p, 'embeddings'), config, ids), [batch * length, width]);
    for (let i = 0; i < used; i++) {
      h = ids.graph.scope(`layers.${i}`, () => encoderLayer(scoped(p, `encoder.layers.${i}`), config, h, batch));
    }
    return reshape(layerNormLayer(p, 'final_layer_norm', h, config.layer_norm_eps), [batch, length, width]);
  };
  const layout = collectParameters((source) => encode(source, source.graph.input('ids', [1, 1]), layers));
  return {
    config,
    layout,
    maxTokens: config.max_position_embeddings,
    contextDim: width,
    encode: (source, ids) => encode(source, ids, layers - clipSkip),
  };
}

/** Words and places, [B, L, C]. */
function embed(p: ParameterSource, config: ClipTextConfig, ids: Tensor): Tensor {
  const { hidden_size: width, vocab_size: words, max_position_embeddings: places } = config;
  const init: Init = { kind: 'normal', std: 0.02 * config.initializer_factor };
  const table = p.get('token_embedding.weight', [words, width], init);
  const positions = p.get('position_embedding.weight', [places, width], init);
  return add(embedding(table, ids), sliceAxis(positions, 0, 0, ids.shape[1]));
}

/** What of a config a layer depends on; CLIP's image encoder is made of the same layers. */
export type ClipLayerConfig = Pick<
  ClipTextConfig,
  | 'hidden_size'
  | 'intermediate_size'
  | 'num_hidden_layers'
  | 'num_attention_heads'
  | 'hidden_act'
  | 'layer_norm_eps'
  | 'initializer_factor'
>;

/** x [B * L, C] -> [B * L, C]. Normalisation comes first in each branch. */
export function encoderLayer(
  p: ParameterSource,
  config: ClipLayerConfig,
  x: Tensor,
  batch: number,
  causal = true,
): Tensor {
  const { hidden_size: width, num_hidden_layers: layers, initializer_factor: factor } = config;
  const std = { narrow: width ** -0.5 * (2 * layers) ** -0.5 * factor, wide: (2 * width) ** -0.5 * factor };
  const attended = attend(scoped(p, 'self_attn'), config, layerNormLayer(p, 'layer_norm1', x, config.layer_norm_eps), {
    batch,
    causal,
    std: std.narrow,
  });
  const h = add(x, attended);
  const mlp = scoped(p, 'mlp');
  const hidden = dense(
    mlp,
    'fc1',
    layerNormLayer(p, 'layer_norm2', h, config.layer_norm_eps),
    config.intermediate_size,
    std.wide,
  );
  const activated = config.hidden_act === 'gelu' ? gelu(hidden) : quickGelu(hidden);
  return add(h, dense(mlp, 'fc2', activated, width, std.narrow));
}

interface AttendOptions {
  readonly batch: number;
  readonly causal: boolean;
  /** Deviation of the starting weights. */
  readonly std: number;
}

function attend(p: ParameterSource, config: ClipLayerConfig, x: Tensor, options: AttendOptions): Tensor {
  const { batch, causal, std } = options;
  const [rows, width] = x.shape;
  const projected = (name: string) => reshape(dense(p, name, x, width, std), [batch, rows / batch, width]);
  const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map(projected);
  const mixed = headAttention(q, k, v, { heads: config.num_attention_heads, causal });
  return dense(p, 'out_proj', reshape(mixed, [rows, width]), width, width ** -0.5 * config.initializer_factor);
}

/** x [N, in] -> [N, out], started as transformers starts CLIP: normal, biases zero. */
function dense(p: ParameterSource, name: string, x: Tensor, out: number, std: number): Tensor {
  const weight = p.get(`${name}.weight`, [out, x.shape[1]], { kind: 'normal', std });
  return linear(x, weight, p.get(`${name}.bias`, [out], { kind: 'zeros' }));
}
