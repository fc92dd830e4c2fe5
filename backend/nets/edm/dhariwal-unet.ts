/**
 * The U-Net of Dhariwal and Nichol (ADM, arXiv 2105.05233) as EDM re-implements it (training/networks.py,
 * DhariwalUNet): adaptive normalisation, heads of 64 channels, attention in every block of an attention level.
 */
import type { Tensor } from '../../graph/graph.ts';
import { add, concat, conv2d, linear, silu } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import { positionalEmbedding } from './embedding.ts';
import { initialWeight, type LayerInit } from './initialization.ts';
import { augmentWeight, convParameters, groupNormLayer, linearLayer, scoped } from './layers.ts';
import type { Conditions, UNetOptions, UNetShape } from './unet.ts';
import { type BlockShape, type BlockStyle, unetBlock } from './unet-block.ts';

export type DhariwalUNetOptions = UNetOptions;

const third = Math.sqrt(1 / 3);
const init: LayerInit = { mode: 'kaiming_uniform', weight: third, bias: third };
const initZero: LayerInit = { ...init, weight: 0, bias: 0 };
const channelsPerHead = 64;

const style: BlockStyle = {
  epsilon: 1e-5,
  skipScale: 1,
  resampleFilter: [1, 1],
  resampleProjection: false,
  adaptiveScale: true,
  heads: (channels) => Math.floor(channels / channelsPerHead),
  init,
  initZero,
  initAttention: init,
};

/** c_noise [B] -> [B, model_channels]. */
export function dhariwalNoiseEmbedding(options: DhariwalUNetOptions, noise: Tensor): Tensor {
  return positionalEmbedding(noise, options.model_channels);
}

/** x [B, Cin, R, R] -> [B, outChannels, R, R]; at its bottleneck [B, C, r, r]. */
export function dhariwalUNet(
  p: ParameterSource,
  options: DhariwalUNetOptions,
  shape: UNetShape,
  x: Tensor,
  conditions: Conditions,
): Tensor {
  const emb = embed(p, options, shape, conditions);
  const block = (name: string, input: Tensor, blockShape: BlockShape) =>
    x.graph.scope(name, () => {
      const build = () => unetBlock(scoped(p, name), style, input, emb, blockShape);
      return shape.recompute ? x.graph.recompute(build) : build();
    });
  const skips = encode(p, options, shape, x, block);
  if (shape.bottleneck) return skips.at(-1)!;
  const h = decode(options, shape, skips, block);
  const normalized = silu(groupNormLayer(p, 'out_norm', h, style.epsilon));
  const { weight, bias } = convParameters(p, 'out_conv', h.shape[1], shape.outChannels, 3, initZero);
  return conv2d(normalized, weight, bias, { padding: 1 });
}

type Block = (name: string, input: Tensor, shape: BlockShape) => Tensor;

function embed(p: ParameterSource, options: DhariwalUNetOptions, shape: UNetShape, conditions: Conditions): Tensor {
  const { noise, labels, augmentLabels } = conditions;
  const { model_channels: channels, augment_dim: augmentDim } = options;
  const { labelDim } = shape;
  const width = channels * options.channel_mult_emb;
  let emb = dhariwalNoiseEmbedding(options, noise);
  if (augmentDim > 0) {
    const weight = augmentWeight(p, augmentDim, channels, initZero);
    if (augmentLabels) emb = add(emb, linear(augmentLabels, weight));
  }
  emb = silu(linearLayer(p, 'map_layer0', emb, width, init));
  emb = linearLayer(p, 'map_layer1', emb, width, init);
  if (labelDim > 0) {
    const initLabel: LayerInit = { mode: 'kaiming_normal', weight: Math.sqrt(labelDim), bias: 0 };
    const weight = p.get(
      'map_label.weight',
      [width, labelDim],
      initialWeight(initLabel, { fanIn: labelDim, fanOut: width }),
    );
    if (labels) emb = add(emb, linear(labels, weight));
  }
  return silu(emb);
}

/** Returns what each encoder stage hands to the decoder, first to last; the last is the deepest image. */
function encode(p: ParameterSource, options: DhariwalUNetOptions, shape: UNetShape, x: Tensor, block: Block): Tensor[] {
  const skips: Tensor[] = [];
  let h = x;
  options.channel_mult.forEach((mult, level) => {
    const resolution = shape.resolution >> level;
    const name = `enc.${resolution}x${resolution}`;
    const out = options.model_channels * mult;
    if (level === 0) {
      const { weight, bias } = convParameters(p, `${name}_conv`, x.shape[1], out, 3, init);
      h = conv2d(x, weight, bias, { padding: 1 });
    } else {
      h = block(`${name}_down`, h, { out: h.shape[1], resample: 'down' });
    }
    skips.push(h);
    for (let i = 0; i < options.num_blocks; i++) {
      h = block(`${name}_block${i}`, h, { out, attention: options.attn_resolutions.includes(resolution) });
      skips.push(h);
    }
  });
  return skips;
}

function decode(options: DhariwalUNetOptions, shape: UNetShape, skips: Tensor[], block: Block): Tensor {
  let h = skips[skips.length - 1];
  const { channel_mult: mults } = options;
  for (let level = mults.length - 1; level >= 0; level--) {
    const resolution = shape.resolution >> level;
    const name = `dec.${resolution}x${resolution}`;
    if (level === mults.length - 1) {
      h = block(`${name}_in0`, h, { out: h.shape[1], attention: true });
      h = block(`${name}_in1`, h, { out: h.shape[1] });
    } else {
      h = block(`${name}_up`, h, { out: h.shape[1], resample: 'up' });
    }
    for (let i = 0; i <= options.num_blocks; i++) {
      const attention = options.attn_resolutions.includes(resolution);
      h = block(`${name}_block${i}`, concat([h, skips.pop()!], 1), {
        out: options.model_channels * mults[level],
        attention,
      });
    }
  }
  return h;
}
