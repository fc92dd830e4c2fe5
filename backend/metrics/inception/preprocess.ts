/**
 * From pictures to what InceptionV3 takes, in the three ways in which published numbers were made. All start from
 * bytes, as pictures are saved; they differ in how 299 x 299 pixels come about and in which number is black, and so do the
 * distances: only numbers of one kind compare.
 */
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { type Filter, resample } from '../resample.ts';
import { inceptionSide } from './network.ts';

export const inceptionKinds = ['pytorch-fid', 'clean-fid', 'edm'] as const;
export type InceptionKind = (typeof inceptionKinds)[number];

interface Way {
  readonly filter: Filter;
  /** From 0..255 to about -1..1. A cubic filter overshoots, and clean-fid cuts that off. */
  readonly scale: (byte: number) => number;
  /** One sentence for people. */
  readonly what: string;
}

/** The network of the last two was converted from TensorFlow's with this scaling inside it. */
const tensorflowScale = (byte: number) => (byte - 128) / 128;

export const inceptionWays: Readonly<Record<InceptionKind, Way>> = {
  'pytorch-fid': {
    filter: 'bilinear',
    scale: (byte) => byte / 127.5 - 1,
    what: 'bilinear without antialiasing, pixel centres at half-integers (mseitzer/pytorch-fid)',
  },
  'clean-fid': {
    filter: 'bicubic',
    scale: (byte) => tensorflowScale(Math.min(255, Math.max(0, byte))),
    what: "Pillow's bicubic with antialiasing, in float32 (GaParmar/clean-fid, mode clean)",
  },
  edm: {
    filter: 'bilinear-corner',
    scale: tensorflowScale,
    what: "TensorFlow 1's bilinear inside the network, as in EDM's fid.py (and StyleGAN's)",
  },
};

/**
 * images [B, 1 or 3, H, W] in [-1, 1] (clipped; grey is repeated) -> [B, 3, 299, 299]. Rounded to bytes as they would be
 * saved: floor(127.5 x + 128).
 */
export function inceptionImages(images: TensorData, kind: InceptionKind): TensorData {
  const { filter, scale } = inceptionWays[kind];
  const bytes = asColours({ shape: images.shape, data: images.data.map(byteOf) });
  const { shape, data } = resample(bytes, inceptionSide, inceptionSide, filter);
  return { shape, data: data.map(scale) };
}

/** A pixel in [-1, 1] as the byte that PNG keeps of it. */
export const byteOf = (x: number) => Math.min(255, Math.max(0, Math.floor(x * 127.5 + 128)));

/** [B, 1, H, W] -> [B, 3, H, W]; three channels stay as they are. */
export function asColours(images: TensorData): TensorData {
  const [batch, channels, height, width] = images.shape;
  if (images.shape.length !== 4 || (channels !== 1 && channels !== 3)) {
    throw new Error(`pictures must be [B, 1 or 3, H, W], got [${images.shape.join(', ')}]`);
  }
  if (channels === 3) return images;
  const plane = height * width;
  const data = new Float32Array(sizeOf([batch, 3, plane]));
  for (let k = 0; k < 3 * batch; k++) {
    const from = Math.floor(k / 3) * plane;
    data.set(images.data.subarray(from, from + plane), k * plane);
  }
  return { shape: [batch, 3, height, width], data };
}
