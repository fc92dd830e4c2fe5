/** The config.json of UNet2DConditionModel: what Stable Diffusion 1 and 2 use of it, and what makes the rest a refusal. */
import { z } from 'zod';
import { most } from '../../protocol/network-bounds.ts';
import {
  absent,
  checkClass,
  count,
  off,
  only,
  parseModelConfig,
  perBlock,
  perLevel,
  positive,
  refuseDeep,
  spread,
  unsupported,
} from './config.ts';

const what = 'UNet2DConditionModel';
const kernel = z.int().positive().max(most.kernel);
const pixels = z.int().positive().max(most.pixels);

const shape = {
  sample_size: z
    .union([pixels, z.tuple([pixels, pixels])])
    .nullable()
    .default(null),
  in_channels: count.default(4),
  out_channels: count.default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: perLevel(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D'])).default([
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'DownBlock2D',
  ]),
  mid_block_type: z.literal('UNetMidBlock2DCrossAttn').nullable().default('UNetMidBlock2DCrossAttn'),
  up_block_types: perLevel(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D'])).default([
    'UpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
  ]),
  block_out_channels: perLevel(count).default([320, 640, 1280, 1280]),
  layers_per_block: perBlock(most.blocks).default(2),
  downsample_padding: z.union([z.literal(0), z.literal(1)]).default(1),
  norm_num_groups: count.default(32),
  norm_eps: positive.default(1e-5),
  cross_attention_dim: count.default(1280),
  transformer_layers_per_block: perBlock(most.blocks).default(1),
  /** The number of heads, not their size: diffusers' name is a mistake that stayed because every file has it. */
  attention_head_dim: perBlock(most.width).default(8),
  use_linear_projection: z.boolean().default(false),
  conv_in_kernel: kernel.refine((k) => k % 2 === 1, 'an odd number is needed').default(3),
  conv_out_kernel: kernel.refine((k) => k % 2 === 1, 'an odd number is needed').default(3),
  /** Computed in float32 either way. */
  upcast_attention: z.boolean().nullable().default(false),
  /** Off: a matter of training. */
  dropout: z.number().default(0),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  only_cross_attention: z.union([z.literal(false), z.array(z.literal(false)).max(most.levels)]).default(false),
  mid_block_only_cross_attention: z.literal(false).nullable().default(null),
  mid_block_scale_factor: only(1),
  resnet_time_scale_shift: only('default'),
  resnet_skip_time_act: off,
  resnet_out_scale_factor: only(1),
  time_embedding_type: only('positional'),
  attention_type: only('default'),
  dual_cross_attention: off,
  class_embeddings_concat: off,
  reverse_transformer_layers_per_block: absent,
  encoder_hid_dim: absent,
  encoder_hid_dim_type: absent,
  num_attention_heads: absent,
  class_embed_type: absent,
  addition_embed_type: absent,
  addition_time_embed_dim: absent,
  num_class_embeds: absent,
  time_embedding_dim: absent,
  time_embedding_act_fn: absent,
  timestep_post_act: absent,
  time_cond_proj_dim: absent,
  projection_class_embeddings_input_dim: absent,
  cross_attention_norm: absent,
  addition_embed_type_num_heads: z.number().default(64),
};

/** Every key present, defaults filled in. */
export type UNetConfig = z.output<z.ZodObject<typeof shape>>;

/** One level of the U-Net, from the full image down. */
export interface UNetLevel {
  readonly channels: number;
  readonly layers: number;
  readonly heads: number;
  /** Transformer blocks after each residual block. */
  readonly depth: number;
  readonly downAttention: boolean;
  /** Of the up block at this level. */
  readonly upAttention: boolean;
}

/** Throws UserError('config') that names key and value. */
export function parseUNetConfig(raw: unknown): UNetConfig {
  const config = parseModelConfig(what, shape, raw);
  checkClass(what, raw);
  unetLevels(config);
  return config;
}

/** The lists of the config side by side. Throws UserError('config') where they do not fit each other. */
export function unetLevels(config: UNetConfig): UNetLevel[] {
  const { block_out_channels: channels, down_block_types: down, up_block_types: up } = config;
  const levels = channels.length;
  checkLists(config, levels);
  const each = (key: 'layers_per_block' | 'attention_head_dim' | 'transformer_layers_per_block') =>
    spread(what, key, config[key], levels);
  const layers = each('layers_per_block');
  const heads = each('attention_head_dim');
  const depth = each('transformer_layers_per_block');
  const total = layers.reduce((sum, count, i) => sum + count * (1 + depth[i]), 0);
  refuseDeep(what, 'layers_per_block', config.layers_per_block, total);
  return channels.map((width, i) => {
    if (width % heads[i] !== 0) {
      const why = `${width} channels do not divide into ${heads[i]} heads`;
      throw unsupported(what, 'attention_head_dim', config.attention_head_dim, why);
    }
    return {
      channels: width,
      layers: layers[i],
      heads: heads[i],
      depth: depth[i],
      downAttention: down[i] === 'CrossAttnDownBlock2D',
      upAttention: up[levels - 1 - i] === 'CrossAttnUpBlock2D',
    };
  });
}

function checkLists(config: UNetConfig, levels: number): void {
  for (const key of ['down_block_types', 'up_block_types'] as const) {
    if (config[key].length !== levels) {
      throw unsupported(what, key, config[key], `block_out_channels has ${levels} blocks`);
    }
  }
  const { block_out_channels: channels } = config;
  if (channels[0] % 2 !== 0) {
    const why = 'the time embedding has pairs of channels; make the first even';
    throw unsupported(what, 'block_out_channels', channels, why);
  }
}
