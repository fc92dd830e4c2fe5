/** Damage that knows nothing of a format. */
import type { Dice } from '../dice.ts';

/** Bytes that mean much somewhere: extremes, dividers, and pickle's instructions. */
const meaningful = Buffer.from(
  '\0\x01\x7f\x80\xff\n\r"\\{}[],:-().0129BCGIJKLMNQRSTUVXbcdeghijlopqrstu}]\x81\x8a\x8b\x8e\x92\x93\x94\x95',
  'latin1',
);

/** Sizes and counts that readers stumble over. */
const numbers = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** One to four wounds within the first `reach` bytes: changed, cut out, copied in, numbers laid over, the end torn off. */
export function damaged(file: Uint8Array | string, dice: Dice, reach = Number.POSITIVE_INFINITY): Buffer {
  let out: Buffer = Buffer.from(file);
  for (let wounds = 1 + dice.below(4); wounds > 0 && out.length > 0; wounds--) {
    const at = dice.below(Math.min(reach, out.length));
    const kind = dice.below(8);
    if (kind <= 1) out[at]! ^= 1 << dice.below(8);
    else if (kind === 2) out[at] = dice.of(meaningful as unknown as number[]);
    else if (kind === 3) out = out.subarray(0, dice.below(out.length + 1));
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + dice.size(40))]);
    else if (kind === 5) out = laidOver(out, at, dice);
    else {
      const from = dice.below(out.length);
      const times = dice.chance(0.02) ? dice.size(1e5) : 1;
      const piece = out.subarray(from, from + 1 + dice.size(60));
      const copies = Buffer.alloc(Math.min(piece.length * times, 1 << 20)).fill(piece);
      out = Buffer.concat([out.subarray(0, at), copies, out.subarray(at)]);
    }
  }
  return out;
}

function laidOver(bytes: Buffer, at: number, dice: Dice): Buffer {
  const number = Buffer.alloc(8);
  const width = dice.of([1, 2, 4, 8]);
  const value = BigInt(dice.of(numbers)) << BigInt(dice.chance(0.2) ? 24 : 0);
  if (dice.chance(0.5)) number.writeBigUInt64LE(BigInt.asUintN(64, value));
  else number.writeBigUInt64BE(BigInt.asUintN(64, value << BigInt(8 * (8 - width))));
  number.copy(bytes, at, 0, Math.min(width, bytes.length - at));
  return bytes;
}
