/**
 * What crosses between the host and a device with memory of its own, counted by the engine where it happens. Nothing crosses where
 * the device computes in the host's memory.
 */
export type Direction = 'toDevice' | 'toHost';

/** How often something crossed, and how much in all. */
export interface Crossing {
  copies: number;
  bytes: number;
}

/** By the names that programs and results have for what crossed. */
export type Crossed = Readonly<Record<Direction, ReadonlyMap<string, Readonly<Crossing>>>>;

const nothing = (): Record<Direction, Map<string, Crossing>> => ({ toDevice: new Map(), toHost: new Map() });

export class Crossings {
  #counted = nothing();

  count(direction: Direction, name: string, bytes: number): void {
    const of = this.#counted[direction];
    const before = of.get(name);
    if (before) {
      before.copies += 1;
      before.bytes += bytes;
    } else of.set(name, { copies: 1, bytes });
  }

  /** What crossed since this was asked last, or since the engine was opened; counting begins anew. */
  take(): Crossed {
    const counted = this.#counted;
    this.#counted = nothing();
    return counted;
  }
}

/** All of one direction together. */
export function totalOf(crossed: Crossed, direction: Direction): Crossing {
  const total = { copies: 0, bytes: 0 };
  for (const { copies, bytes } of crossed[direction].values()) {
    total.copies += copies;
    total.bytes += bytes;
  }
  return total;
}
