/** A recorded grid of samples as numbers, to be compared. */
import type { Picture } from '../../shared/heatmaps/picture.ts';

/** @returns [3, H, W] in [-1, 1], as it is in the file. Rejects for what is no picture. */
export async function pictureOf(png: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(png, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data: pixels } = context.getImageData(0, 0, width, height);
  const plane = width * height;
  const data = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) data[channel * plane + i] = pixels[i * 4 + channel]! / 127.5 - 1;
  }
  return { channels: 3, height, width, data };
}
