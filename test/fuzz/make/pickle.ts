/**
 * Pickles that stay pickles: taken apart into their instructions, some of these changed, moved, repeated or left out, and put together
 * again with lengths that are right, so that a reader gets to what they say.
 */
import type { Dice } from '../dice.ts';

/** What follows an opcode: so many bytes, so many lines, or a length of so many bytes and what it counts. */
type Argument = { readonly bytes?: number; readonly lines?: number; readonly length?: number };

const argumentsOf: Readonly<Record<string, Argument>> = {
  ...Object.fromEntries([...'Khq\x80\x82'].map((code) => [code, { bytes: 1 }])),
  ...Object.fromEntries([...'M\x83'].map((code) => [code, { bytes: 2 }])),
  ...Object.fromEntries([...'Jjr\x84'].map((code) => [code, { bytes: 4 }])),
  ...Object.fromEntries([...'G\x95'].map((code) => [code, { bytes: 8 }])),
  ...Object.fromEntries([...'IFLVSPpg'].map((code) => [code, { lines: 1 }])),
  ...Object.fromEntries([...'ci'].map((code) => [code, { lines: 2 }])),
  ...Object.fromEntries([...'UC\x8a\x8c'].map((code) => [code, { length: 1 }])),
  ...Object.fromEntries([...'XTB\x8b'].map((code) => [code, { length: 4 }])),
  ...Object.fromEntries([...'\x8d\x8e\x96'].map((code) => [code, { length: 8 }])),
};

/** The instructions up to the first that ends the pickle, each with its argument; what follows is left out. */
export function instructionsOf(pickle: Uint8Array): Buffer[] {
  const bytes = Buffer.from(pickle.buffer, pickle.byteOffset, pickle.byteLength);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const code = String.fromCharCode(bytes[at]!);
    const { bytes: size = 0, lines = 0, length = 0 } = argumentsOf[code] ?? {};
    let end = at + 1 + size;
    for (let line = 0; line < lines; line++) end = bytes.indexOf('\n', end) + 1;
    if (length > 0) end = at + 1 + length + bytes.readUIntLE(at + 1, Math.min(length, 6));
    found.push(bytes.subarray(at, end));
    if (code === '.') break;
    at = end;
  }
  return found;
}

const numbers = [0, 1, 2, 7, 255, 256, 65_535, 2 ** 20, 2 ** 31 - 1, -1, -(2 ** 31)];
const texts = [
  '',
  'a',
  'model',
  'ema',
  'shadow_params',
  'storage',
  'cpu',
  '0',
  '1',
  '_parameters',
  '_modules',
  'x.y.z',
];
const marks = [
  '(',
  '}',
  ']',
  ')',
  'N',
  't',
  'R',
  'u',
  's',
  'e',
  'a',
  'b',
  'Q',
  '0',
  '2',
  '\x81',
  '\x85',
  '\x86',
  '\x94',
];

function numberCode(value: number): Buffer {
  const out = Buffer.from('J0000', 'latin1');
  out.writeInt32LE(value, 1);
  return out;
}

function textCode(value: string): Buffer {
  const content = Buffer.from(value);
  const head = Buffer.from('X0000', 'latin1');
  head.writeUInt32LE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** As long as the others are; a frame's own length would be wrong afterwards, and nobody needs it. */
export function worsePickle(pickle: Uint8Array, dice: Dice): Buffer {
  const list = instructionsOf(pickle).filter((instruction) => instruction[0] !== 0x95);
  for (let times = 1 + dice.below(3); times > 0; times--) worsen(list, dice);
  return Buffer.concat(list);
}

function worsen(list: Buffer[], dice: Dice): void {
  const codes = (wanted: string) =>
    list.flatMap((code, i) => (wanted.includes(String.fromCharCode(code[0]!)) ? [i] : []));
  const at = 1 + dice.below(Math.max(1, list.length - 2)); // neither the first nor the last
  const place = (wanted: string) => {
    const places = codes(wanted);
    return places.length > 0 ? dice.of(places) : at;
  };
  switch (dice.below(12)) {
    case 0:
    case 1:
    case 2:
      list[place('KMJ\x8a')] = numberCode(dice.of(numbers));
      break;
    case 3:
    case 4:
      list[place('XU\x8c')] = textCode(dice.chance(0.1) ? 'n'.repeat(dice.size(1e5)) : dice.of(texts));
      break;
    case 5: {
      const globals = codes('c');
      if (globals.length > 0) list[dice.of(globals)] = list[dice.of(globals)]!;
      break;
    }
    case 6:
      list.splice(at, 1);
      break;
    case 7:
      list.splice(at, 0, list[dice.below(list.length - 1)]!);
      break;
    case 8:
      list[at] = Buffer.from(dice.of(marks), 'latin1');
      break;
    case 9:
      // Something of before, in place of a value or beside it.
      list.splice(at, dice.below(2), Buffer.from([0x68, dice.below(40)]));
      break;
    case 10: {
      const from = 1 + dice.below(list.length - 1);
      const piece = list.slice(from, Math.min(list.length - 1, from + 1 + dice.below(40)));
      const copies = Array.from({ length: dice.chance(0.1) ? 1 + dice.size(300) : 1 }, () => piece).flat();
      list.splice(at, 0, ...copies);
      break;
    }
    default: {
      // A number's, a text's or nothing's place taken by another kind of thing.
      const kinds = [
        numberCode(dice.of(numbers)),
        textCode(dice.of(texts)),
        ...[...'N)}]'].map((code) => Buffer.from(code)),
      ];
      list[place('KMJXN')] = dice.of(kinds);
    }
  }
}
