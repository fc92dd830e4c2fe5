/**
 * Curves as three columns each: a point costs 24 bytes, so that a million of them can be kept and sent. A tag with one point costs
 * little more than its name, since files may have a hundred thousand of those.
 */
import type { Curve } from '../../protocol/rpc/index.ts';

/** Points a piece holds: curves grow by pieces, so that no long one has to be copied at once to make room. */
const pieceLength = 1 << 12;
/** Points the first piece has room for at first; it doubles. */
const firstLength = 2;

interface Piece {
  readonly steps: Float64Array;
  readonly values: Float64Array;
  readonly times: Float64Array;
}

const parts = ['steps', 'values', 'times'] as const;

/** Points of one tag by ascending step; the last value written for a step counts. */
export class Column {
  /** All but the first one have the same room. */
  readonly #pieces: Piece[] = [];
  #length = 0;
  /** How many of the restarts it has been cut at. */
  #cuts: number;

  /** @param cuts restarts that were before it */
  constructor(cuts = 0) {
    this.#cuts = cuts;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#pieces.reduce((sum, { steps }) => sum + 3 * steps.byteLength, 0);
  }

  set(step: number, value: number, time: number): void {
    const follows = this.#length === 0 || this.#step(this.#length - 1) < step;
    const at = follows ? this.#length : this.#firstFrom(step);
    if (at === this.#length) {
      this.#grow();
      this.#length += 1;
    } else if (this.#step(at) !== step) this.#open(at);
    const { steps, values, times } = this.#piece(at);
    const place = at % pieceLength;
    steps[place] = step;
    values[place] = value;
    times[place] = time;
  }

  /** Forgets everything from a step on. */
  dropFrom(step: number): void {
    this.#length = this.#firstFrom(step);
    this.#pieces.length = Math.ceil(this.#length / pieceLength);
  }

  /**
   * Forgets what restarts took back that it has not heard of. Asked for when it is next used: a file can have ten thousand restarts
   * and as many curves.
   * @param restarts the steps of all restarts so far, in their order
   */
  cutAt(restarts: readonly number[]): this {
    if (this.#cuts === restarts.length) return this;
    let from = Number.POSITIVE_INFINITY;
    for (; this.#cuts < restarts.length; this.#cuts++) from = Math.min(from, restarts[this.#cuts]!);
    if (this.#length > 0 && this.#step(this.#length - 1) >= from) this.dropFrom(from);
    return this;
  }

  /** The last point at this step or before; undefined where there is none. */
  upTo(step: number): { readonly step: number; readonly value: number } | undefined {
    const after = this.#firstFrom(step);
    const index = after < this.#length && this.#step(after) === step ? after : after - 1;
    if (index < 0) return undefined;
    return { step: this.#step(index), value: this.#piece(index).values[index % pieceLength]! };
  }

  /** A copy. */
  read(): Omit<Curve, 'tag'> {
    const copy = (name: keyof Piece) => {
      const whole = new Float64Array(this.#length);
      this.#pieces.forEach((piece, i) => {
        const start = i * pieceLength;
        whole.set(piece[name].subarray(0, this.#length - start), start);
      });
      return whole;
    };
    return { steps: copy('steps'), values: copy('values'), times: copy('times') };
  }

  #piece(index: number): Piece {
    return this.#pieces[Math.floor(index / pieceLength)]!;
  }

  #step(index: number): number {
    return this.#piece(index).steps[index % pieceLength]!;
  }

  /** Makes room for one more point at an index: what lies behind it moves up, in each piece at once. */
  #open(at: number): void {
    this.#grow();
    this.#length += 1;
    const first = Math.floor(at / pieceLength);
    for (let i = Math.floor((this.#length - 1) / pieceLength); i >= first; i--) {
      const [piece, before] = [this.#pieces[i]!, this.#pieces[i - 1]];
      const from = i === first ? at % pieceLength : 0;
      for (const name of parts) {
        piece[name].copyWithin(from + 1, from, Math.min(piece[name].length, this.#length - i * pieceLength) - 1);
        if (i > first) piece[name][0] = before![name][pieceLength - 1]!;
      }
    }
  }

  /** Room for one more point at the end. */
  #grow(): void {
    const [first] = this.#pieces;
    const isFull = this.#length === this.#pieces.length * pieceLength;
    if (!first) this.#pieces.push(newPiece(firstLength));
    else if (isFull) this.#pieces.push(newPiece(pieceLength));
    else if (this.#length === first.steps.length) this.#pieces[0] = newPiece(2 * this.#length, first);
  }

  /** The index of the first point at or after a step. */
  #firstFrom(step: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#step(middle) < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function newPiece(length: number, before?: Piece): Piece {
  const piece = { steps: new Float64Array(length), values: new Float64Array(length), times: new Float64Array(length) };
  if (before) for (const name of parts) piece[name].set(before[name]);
  return piece;
}
