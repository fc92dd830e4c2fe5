/** Protocol buffers of any fields: lengths that are right, so that readers get to what is in them, and lengths that are not. */
import type { Dice } from '../dice.ts';
import { damaged } from './bytes.ts';

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export const field = (number: number, type: number) => varint((BigInt(number) << 3n) | BigInt(type));

/** A field with its length before it. */
export const block = (number: number, content: Uint8Array) =>
  Buffer.concat([field(number, 2), varint(content.length), content]);

const integers = [0n, 1n, 127n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** @param fields numbers that mean something to the reader */
export function anyMessage(dice: Dice, fields: readonly number[], depth = 0): Buffer {
  const parts = Array.from({ length: 1 + dice.size(depth === 0 ? 12 : 6) }, () => anyField(dice, fields, depth));
  const message = Buffer.concat(parts);
  return depth === 0 && dice.chance(0.2) ? damaged(message, dice) : message;
}

function anyField(dice: Dice, fields: readonly number[], depth: number): Buffer {
  const number = dice.chance(0.9) ? dice.of(fields) : dice.of([0, 15, 16, 100, 2 ** 29 - 1]);
  switch (dice.below(8)) {
    case 0:
      return Buffer.concat([field(number, 0), varint(dice.of(integers))]);
    case 1:
      return Buffer.concat([field(number, 1), dice.bytes(8)]);
    case 2:
      return Buffer.concat([field(number, 5), dice.bytes(4)]);
    case 3:
      return block(number, dice.bytes(dice.size(300)));
    case 4:
      return Buffer.concat([field(number, dice.of([2, 3, 4, 6, 7])), varint(dice.of(integers)), dice.bytes(3)]);
    case 5: {
      const one = block(number, Buffer.from(dice.of(['', 'a', 'loss'])));
      return Buffer.alloc(one.length * (1 + dice.size(dice.chance(0.05) ? 1e5 : 300))).fill(one);
    }
    default:
      return block(number, depth > 6 ? dice.bytes(4) : anyMessage(dice, fields, depth + 1));
  }
}
