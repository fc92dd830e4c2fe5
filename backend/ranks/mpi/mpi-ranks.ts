/**
 * Ranks that meet through MPI. Requests do not block: the thread asks whether they are done, and between two questions it answers
 * whoever watches the run, sees that it is told to end, and sleeps where others take long.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { describeError } from '../../files/describe-error.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Launched } from '../launched.ts';
import { type Ranks, RanksFailed } from '../ranks.ts';
import { type Mpi, MpiFailure, openMpi, type Pending } from './library.ts';

/** Numbers of a piece that is summed at once, 64 MB: a buffer of that size lies beside the gradient. */
const pieceSize = 2 ** 24;
/** A meeting is waited for wide awake, then in turns with other work, then in naps. */
const [awakeMs, turnsMs, napMs] = [0.05, 3, 1];
/** How long a rank that was told to end waits for the others. The leader first saves what is committed; whoever started it may be impatient. */
const patienceMs = { leader: 300, other: 5000 };

export async function joinRanks({ local, launcher, size }: Launched): Promise<Ranks> {
  const mpi = await openMpi(launcher);
  if (mpi.size === size) return new MpiRanks(mpi, local);
  mpi.finalize();
  const hint = `Start with the mpirun that belongs to ${mpi.version}, or name the library of the one in use in DMD_MPI_LIBRARY.`;
  throw new UserError('device', `${launcher} started ${size} processes, but ${mpi.version} knows of ${mpi.size}`, hint);
}

class MpiRanks implements Ranks {
  readonly rank: number;
  readonly size: number;
  readonly local: Ranks['local'];
  readonly #mpi: Mpi;
  readonly #parent = process.ppid;
  /** Failed rank + 1, and a word. */
  readonly #said = integers(2);
  readonly #heard = integers(2);
  #piece: Float32Array | Float64Array = new Float32Array(0);
  #waited = 0;
  #hurriedAt = Number.POSITIVE_INFINITY;
  /** Why nobody is met any more. */
  #over: RanksFailed | null = null;

  constructor(mpi: Mpi, local: Ranks['local']) {
    this.#mpi = mpi;
    this.rank = mpi.rank;
    this.size = mpi.size;
    this.local = local;
  }

  async agree(word: number): Promise<number> {
    return this.#meet(0, word);
  }

  async sum(values: Float32Array | Float64Array): Promise<void> {
    await this.#meet();
    const kind = values instanceof Float64Array ? 'double' : 'float';
    for (let start = 0; start < values.length; start += pieceSize) {
      const part = values.subarray(start, start + pieceSize);
      const from = this.#pieceLike(part);
      from.set(part);
      const to = outside(part)
        ? part
        : new (part.constructor as Float32ArrayConstructor)(new ArrayBuffer(part.byteLength));
      await this.#done(this.#mpi.allReduce(from, to, kind, 'sum'));
      if (to !== part) part.set(to);
    }
  }

  async spread(values: Float32Array): Promise<void> {
    await this.#meet();
    for (let start = 0; start < values.length; start += pieceSize) {
      const part = values.subarray(start, start + pieceSize);
      const own = outside(part) ? part : floats(part);
      await this.#done(this.#mpi.broadcast(own, 'float'));
      if (own !== part) part.set(own);
    }
  }

  async tell(text: string): Promise<string> {
    return this.#textOf(0, text);
  }

  async gather(text: string): Promise<string[]> {
    const found: string[] = [];
    for (let rank = 0; rank < this.size; rank++) found.push(await this.#textOf(rank, text));
    return found;
  }

  async fail(error: unknown): Promise<void> {
    if (this.#over) return;
    const { message, kind, hint } = describeError(error);
    this.#over = new RanksFailed(message, { lost: false });
    try {
      await this.#reduceWords(this.rank + 1, 0);
      if (this.#heard[0] === this.rank + 1) await this.#text(this.rank, JSON.stringify({ message, kind, hint }));
      else await this.#text(this.#heard[0]! - 1, '');
    } catch {
      // There is nobody to tell.
    }
  }

  takeWaited(): number {
    const seconds = this.#waited / 1000;
    this.#waited = 0;
    return seconds;
  }

  hurry(): void {
    this.#hurriedAt = Math.min(this.#hurriedAt, performance.now());
  }

  async close(): Promise<void> {
    // Who leaves in order waits for all others to do so.
    if (this.#over?.lost) return;
    try {
      this.#mpi.finalize();
    } catch {
      // It ends with the process.
    }
  }

  /** All come; throws RanksFailed where one of them has failed. @returns the largest word */
  async #meet(failed = 0, word = 0): Promise<number> {
    if (this.#over) throw this.#over;
    await this.#reduceWords(failed, word);
    const who = this.#heard[0]!;
    if (who === 0) return this.#heard[1]!;
    const said = JSON.parse(await this.#text(who - 1, '')) as {
      message: string;
      kind: UserError['kind'];
      hint: string;
    };
    this.#over = new RanksFailed(`rank ${who - 1} failed: ${said.message}`, { hint: said.hint, kind: said.kind });
    throw this.#over;
  }

  async #reduceWords(failed: number, word: number): Promise<void> {
    this.#said.set([failed, word]);
    await this.#done(this.#mpi.allReduce(this.#said, this.#heard, 'int', 'max'));
  }

  async #textOf(rank: number, text: string): Promise<string> {
    await this.#meet();
    return this.#text(rank, text);
  }

  /** Against the zeros of all others, whoever speaks has the largest numbers: a broadcast from any rank. */
  async #text(rank: number, text: string): Promise<string> {
    const own = rank === this.rank ? Buffer.from(text) : Buffer.alloc(0);
    const [said, length] = [integers(1), integers(1)];
    said[0] = own.length;
    await this.#done(this.#mpi.allReduce(said, length, 'int', 'max'));
    const [from, to] = [integers(length[0]!), integers(length[0]!)];
    from.set(own);
    if (to.length > 0) await this.#done(this.#mpi.allReduce(from, to, 'int', 'max'));
    return Buffer.from(to).toString();
  }

  async #done(request: Pending): Promise<void> {
    const begun = performance.now();
    try {
      for (;;) {
        if (request.test()) return;
        const now = performance.now();
        if (now - begun < awakeMs) continue;
        this.#checkPresence(now);
        if (now - begun < turnsMs) await turn();
        else await sleep(napMs);
      }
    } catch (error) {
      abandoned.push(request);
      if (!(error instanceof MpiFailure)) throw error;
      throw this.#lose(`another rank cannot be reached any more: ${error.message}`);
    } finally {
      this.#waited += performance.now() - begun;
    }
  }

  /** Throws RanksFailed where waiting makes no sense. */
  #checkPresence(now: number): void {
    const patience = this.rank === 0 ? patienceMs.leader : patienceMs.other;
    if (process.ppid !== this.#parent) throw this.#lose('what started the ranks is gone');
    if (now - this.#hurriedAt > patience)
      throw this.#lose('the process was told to end, and another rank did not come');
  }

  #lose(message: string): RanksFailed {
    const hint = 'Look at what mpirun said of the ranks, and resume the run with as many ranks as you have.';
    this.#over = new RanksFailed(message, { hint, lost: true });
    return this.#over;
  }

  #pieceLike(part: Float32Array | Float64Array): Float32Array | Float64Array {
    if (this.#piece.constructor !== part.constructor || this.#piece.length < part.length) {
      const kind = part.constructor as Float32ArrayConstructor;
      this.#piece = new kind(new ArrayBuffer(part.byteLength));
    }
    return this.#piece.subarray(0, part.length);
  }
}

/** The library may still write where these say. */
const abandoned: Pending[] = [];

/** Small arrays lie on V8's heap, which moves them, unless they are views of a buffer. */
const integers = (count: number) => new Int32Array(new ArrayBuffer(4 * count));
const outside = (values: NodeJS.TypedArray) => values.byteLength > 4096;

function floats(values: Float32Array): Float32Array {
  const copy = new Float32Array(new ArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
