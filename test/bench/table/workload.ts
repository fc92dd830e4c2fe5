/** What one row of the table measures, as this project does it: made ready once, then done turn by turn. */
import type { Engine } from '../../../backend/engine/engine.ts';
import type { TensorData } from '../../../backend/graph/tensor-data.ts';

export interface Given {
  readonly engine: Engine;
  readonly threads: number;
  /** Where `prepare` put what both sides read. */
  readonly folder: string;
  /** Data that both sides have at hand is there now: what follows is loading and compiling. */
  readonly begin: () => void;
}

export interface Ready {
  turn(): Promise<void>;
  /** What the first turn computed, by the names that a peer gives it; {} where no peer does the same. */
  answers(): Promise<ReadonlyMap<string, TensorData>>;
  dispose(): Promise<void>;
}

export interface Workload {
  /** What a turn makes so many of, for a rate: images, pairs. */
  readonly makes?: { readonly count: number; readonly what: string };
  /** Writes what both sides read, and says so in words of its own for the peer: the metadata of `case.safetensors`. */
  prepare(folder: string): Promise<void>;
  ready(given: Given): Promise<Ready>;
}

/** The file that peers read, in the folder of a row. */
export const caseFile = 'case.safetensors';
