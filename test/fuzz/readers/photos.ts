/** A person's own pictures, as `dmd data pack` reads them. */
import jpeg from 'jpeg-js';
import { decodePicture } from '../../../backend/data/pack/decode-picture.ts';
import { toSquare } from '../../../backend/data/pack/to-square.ts';
import { readBytes } from '../../../backend/files/regular.ts';
import { UserError } from '../../../backend/protocol/errors.ts';
import { damaged } from '../make/bytes.ts';
import { worsePng } from '../make/png.ts';
import { once, type Reader } from '../reader.ts';

const photo = () =>
  once('photo', () => {
    const data = Uint8Array.from({ length: 4 * 40 * 24 }, (_, i) => (i * 37) % 256);
    return jpeg.encode({ width: 40, height: 24, data }, 80).data;
  });

export const photos: Reader = {
  name: 'photo',
  async read(folder) {
    const bytes = readBytes(`${folder}/a.jpg`, 'picture');
    try {
      toSquare(decodePicture(bytes), { size: 8, how: 'crop', ground: 0, gray: false });
    } catch (cause) {
      // Packing names what a picture's reader says against it, whatever that is, and goes on with the next.
      throw new UserError('data', cause instanceof Error ? cause.message : String(cause), '', { cause });
    }
  },
  make: (dice) => ({ 'a.jpg': dice.chance(0.2) ? worsePng(dice) : damaged(photo(), dice) }),
};
