/**
 * Recorded score fields as pictures: which tensor, image and noise level a cell shows. `probe` has one image at several
 * levels; `training` and `stop` have a batch in which every image has a level of its own.
 */
import type { FieldKindName, Fields, FieldTensor } from '../../../backend/protocol/rpc/runs.ts';
import type { Picture } from '../../shared/heatmaps/picture.ts';
import { robustMax } from '../../shared/heatmaps/robust-max.ts';

/** From what is put in to what comes out, what latents decode to beside them. The last two are signed. */
export const fieldNames = ['xt', 'muReal', 'pictureReal', 'muFake', 'pictureFake', 'difference', 'grad'] as const;
export type FieldName = (typeof fieldNames)[number];
export const recordedFields = ['xt', 'muReal', 'muFake', 'difference', 'grad'] as const;
export type RecordedField = (typeof recordedFields)[number];
export type SignedField = (typeof signedFields)[number];

export const signedFields = ['difference', 'grad'] as const;

export function isSigned(name: string): name is SignedField {
  return name === 'difference' || name === 'grad';
}

/** A noise level of the probe, or an image of a batch. */
export interface Column {
  readonly image: number;
  /** As the config counts noise levels; null where it is not recorded. */
  readonly level: number | null;
  readonly sigma: number;
  readonly cosine: number | null;
  readonly residualRatio: number | null;
  picture(name: FieldName): Picture | null;
}

export interface FieldSet {
  readonly kind: FieldKindName;
  readonly step: number;
  readonly images: number;
  readonly channels: number;
  /** Two numbers, not pictures: points of the plane. */
  readonly points: boolean;
  /** In memory. */
  readonly bytes: number;
  /** Columns are noise levels of one image, the same at every step. */
  readonly perLevel: boolean;
  /** Noise levels of the probe, as the config counts them; [] where they are not recorded, and of a batch. */
  readonly levels: readonly { readonly level: number; readonly sigma: number }[];
  /** Class of each image; null where there are none. */
  readonly classes: readonly (number | null)[];
  x(image: number): Picture | null;
  /** @param image of the probe; of a batch, the first of the columns */
  columns(image: number, count: number): Column[];
  /** Every number of a signed field, of all images and levels. */
  values(name: SignedField): Float32Array | null;
  /** How far a signed field goes, without its most extreme half percent; 0 without it. @param level of the probe: there alone */
  quantile(name: SignedField, level?: number): number;
}

/** What does not have the shape of fields, as a file may, has no images. */
export function readFieldSet({ step, kind, tensors, metadata }: Fields): FieldSet {
  const byName = new Map(tensors.filter(isWhole).map((tensor) => [tensor.name, tensor]));
  const x = byName.get('x');
  const [images = 0, channels = 0, height = 0, width = 0] = x?.shape.length === 4 ? x.shape : [];
  const size = channels * height * width;
  const perLevel = kind === 'probe';
  const sigma = byName.get('sigma')?.data ?? new Float32Array();
  const count = perLevel ? sigma.length * images : images;
  const levels = perLevel ? levelsOf(metadata.levels, sigma) : [];
  const fits = (tensor: FieldTensor | undefined) => (tensor?.data.length === count * size ? tensor.data : null);
  const differences = once(() => subtract(fits(byName.get('muReal')), fits(byName.get('muFake'))));
  const numbersOf = (name: FieldName): Float32Array | null =>
    name === 'difference' ? differences() : fits(byName.get(name));
  const slice = (data: Float32Array | null, at: number): Picture | null =>
    data && { channels, height, width, data: data.subarray(at * size, (at + 1) * size) };
  const measured = (name: string, at: number) => {
    const tensor = byName.get(name);
    return tensor?.data.length === count ? tensor.data[at]! : null;
  };
  const column = (image: number, at: number, level: number): Column => ({
    image,
    level: levels[level]?.level ?? null,
    sigma: sigma[level] ?? Number.NaN,
    cosine: measured('cosine', at),
    residualRatio: measured('residualRatio', at),
    picture: (name) => slice(numbersOf(name), at),
  });
  const quantiles = new Map<string, number>();
  return {
    kind,
    step,
    images,
    channels,
    points: channels === 2 && height === 1 && width === 1,
    bytes: tensors.reduce((sum, { data }) => sum + data.byteLength, 0),
    perLevel,
    levels,
    classes: classesOf(byName.get('labels'), images),
    x: (image) => (x && image < images ? slice(x.data, image) : null),
    columns(image, most) {
      if (images === 0) return [];
      if (perLevel) return Array.from(sigma, (_, level) => column(image, level * images + image, level));
      const shown = Math.min(most, images - image);
      return Array.from({ length: Math.max(0, shown) }, (_, i) => column(image + i, image + i, image + i));
    },
    values: (name) => numbersOf(name),
    quantile(name, level) {
      const key = `${name} ${level}`;
      const values = numbersOf(name);
      const each = images * size;
      const shown = level === undefined || !perLevel ? values : values?.subarray(level * each, (level + 1) * each);
      const found = quantiles.get(key) ?? (shown ? robustMax(shown) : 0);
      quantiles.set(key, found);
      return found;
    },
  };
}

function isWhole({ shape, data }: FieldTensor): boolean {
  return shape.reduce((product, side) => product * side, 1) === data.length;
}

/** @param recorded a JSON list of whole numbers, one for each sigma */
function levelsOf(recorded: string | undefined, sigma: Float32Array): FieldSet['levels'] {
  const list = /^\[\d+(,\d+)*\]$/.test(recorded ?? '') ? recorded!.slice(1, -1).split(',').map(Number) : [];
  return list.length === sigma.length ? list.map((level, i) => ({ level, sigma: sigma[i]! })) : [];
}

/** mu_real - mu_fake: where the update moves a pixel. */
function subtract(real: Float32Array | null, fake: Float32Array | null): Float32Array | null {
  if (!real || !fake) return null;
  return real.map((value, i) => value - fake[i]!);
}

/** Labels are one number per class; all zero means none. */
function classesOf(labels: FieldTensor | undefined, images: number): (number | null)[] {
  const [rows = 0, classes = 0] = labels?.shape ?? [];
  return Array.from({ length: images }, (_, image) => {
    if (!labels || rows !== images) return null;
    const found = labels.data.subarray(image * classes, (image + 1) * classes).indexOf(1);
    return found < 0 ? null : found;
  });
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
