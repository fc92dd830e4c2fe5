/** What the latents of a probe decode to: the images x, and mu_real and mu_fake of the one that is looked at. */
import { decodeLatents } from '../../../backend/protocol/panels/monitor.ts';
import type { Picture } from '../../shared/heatmaps/picture.ts';
import type { Host } from '../../shared/host.ts';
import type { Column, FieldSet } from './fields.ts';

export interface Decoded {
  readonly bytes: number;
  /** By image. */
  readonly x: readonly Picture[];
  /** By column. */
  readonly muReal: readonly Picture[];
  readonly muFake: readonly Picture[];
}

/** Columns of a batch are not decoded beyond this. */
const mostColumns = 16;

/** @param image of the probe; of a batch, the first of the columns that are shown. Rejects as the request does */
export async function decodeFields(
  host: Host,
  folder: string,
  fields: FieldSet,
  image: number,
  signal: AbortSignal,
): Promise<Decoded> {
  const columns = fields.columns(image, mostColumns);
  const x = Array.from({ length: Math.min(fields.images, mostColumns) }, (_, i) => fields.x(i)!);
  const [real, fake] = (['muReal', 'muFake'] as const).map((name) =>
    columns.flatMap((column) => column.picture(name) ?? []),
  );
  const all = [...x, ...real!, ...fake!];
  const [{ channels, height, width }] = all as [Picture];
  const data = new Float32Array(all.length * channels * height * width);
  for (const [i, one] of all.entries()) data.set(one.data, i * one.data.length);
  const latents = { name: 'x', shape: [all.length, channels, height, width], data };
  const id = `decode ${folder} ${fields.kind} ${fields.step} ${image}`.slice(-100);
  const pictures = picturesOf(await host.request(decodeLatents, { id, folder, latents }, signal));
  return {
    bytes: pictures.reduce((sum, picture) => sum + picture.data.byteLength, 0),
    x: pictures.slice(0, x.length),
    muReal: pictures.slice(x.length, x.length + real!.length),
    muFake: pictures.slice(x.length + real!.length),
  };
}

/** The same columns with the rows that show the pictures. */
export function withPictures(columns: readonly Column[], decoded: Decoded | undefined): readonly Column[] {
  if (!decoded) return columns;
  return columns.map((column, i) => ({
    ...column,
    picture(name) {
      if (name === 'pictureReal') return decoded.muReal[i] ?? null;
      return name === 'pictureFake' ? (decoded.muFake[i] ?? null) : column.picture(name);
    },
  }));
}

function picturesOf({ shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array }): Picture[] {
  const [count = 0, channels = 0, height = 0, width = 0] = shape;
  const size = channels * height * width;
  return Array.from({ length: count }, (_, i) => ({
    ...{ channels, height, width },
    data: data.subarray(i * size, (i + 1) * size),
  }));
}
