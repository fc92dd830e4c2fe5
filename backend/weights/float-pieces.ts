/** The numbers of a file's tensor as float32, a piece at a time: in memory is a piece, whatever the tensor's size. */
import { areFinite, widenBfloats, widenHalves } from '../graph/half.ts';
import { piecesOfFile } from './files.ts';
import { type Dtype, itemSize, storedTensor, toFloat32 } from './stored-tensor.ts';

/** Where the numbers of a tensor lie in a file, in bytes. */
export interface Place {
  readonly dtype: Dtype;
  readonly begin: number;
  readonly end: number;
}

export interface FloatPiece {
  readonly numbers: Float32Array;
  /** Whether none of them is NaN or infinite. */
  readonly finite: boolean;
}

/** Numbers of a piece: few enough to be in the processor's caches still when they are taken. */
const pieceSize = 2 ** 19;
const largestItem = 8;

/** Reads tensors of a file one after the other, in memory that each of them finds again. */
export class FloatReader {
  readonly #path: string;
  readonly #idle: Room[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** A piece may be gone once the next one is asked for. Throws UserError where the file cannot be read any more. */
  async *pieces({ dtype, begin, end }: Place): AsyncGenerator<FloatPiece> {
    const room = this.#idle.pop() ?? new Room();
    try {
      const bytes = room.stored.subarray(0, pieceSize * itemSize(dtype));
      for await (const piece of piecesOfFile(this.#path, begin, end, bytes)) yield widened(dtype, piece, room.floats);
    } finally {
      this.#idle.push(room);
    }
  }
}

class Room {
  readonly stored = new Uint8Array(pieceSize * largestItem);
  readonly floats = new Float32Array(pieceSize);
}

function widened(dtype: Dtype, piece: Uint8Array<ArrayBuffer>, floats: Float32Array): FloatPiece {
  const count = piece.length / itemSize(dtype);
  const numbers = floats.subarray(0, count);
  switch (dtype) {
    case 'F32':
      return checked(new Float32Array(piece.buffer, piece.byteOffset, count));
    case 'F16':
      return { finite: widenHalves(new Uint16Array(piece.buffer, piece.byteOffset, count), numbers), numbers };
    case 'BF16':
      widenBfloats(new Uint16Array(piece.buffer, piece.byteOffset, count), numbers);
      return checked(numbers);
    default:
      return checked(toFloat32(storedTensor(dtype, [count], piece.slice().buffer)).data);
  }
}

const checked = (numbers: Float32Array): FloatPiece => ({ numbers, finite: areFinite(numbers) });
