/** Curves as three columns each: a point costs 24 bytes, so that a million of them can be kept and sent. */
import type { Curve } from '../../protocol/rpc/index.ts';

/** Points a piece holds: curves grow by pieces, so that no long one has to be copied at once to make room. */
const pieceLength = 1 << 12;

interface Piece {
  readonly steps: Float64Array;
  readonly values: Float64Array;
  readonly times: Float64Array;
}

const bytesOfPiece = 3 * 8 * pieceLength;

/** Points of one tag by ascending step; the last value written for a step counts. */
export class Column {
  readonly #pieces: Piece[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#pieces.length * bytesOfPiece;
  }

  set(step: number, value: number, time: number): void {
    const follows = this.#length === 0 || this.#step(this.#length - 1) < step;
    const at = follows ? this.#length : this.#firstFrom(step);
    if (at === this.#length || this.#step(at) !== step) this.#open(at);
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

  /** Makes room for one more point at an index; points that come late are rare, so the rest moves up one by one. */
  #open(at: number): void {
    if (this.#length === this.#pieces.length * pieceLength) {
      const column = () => new Float64Array(pieceLength);
      this.#pieces.push({ steps: column(), values: column(), times: column() });
    }
    this.#length += 1;
    for (let i = this.#length - 1; i > at; i--) this.#move(i - 1, i);
  }

  #move(from: number, to: number): void {
    const [source, target] = [this.#piece(from), this.#piece(to)];
    for (const name of ['steps', 'values', 'times'] as const) {
      target[name][to % pieceLength] = source[name][from % pieceLength]!;
    }
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
