/**
 * What is to become of each file of a `pickles` case. case.json says it in words: 'must be refused', 'expected tensors
 * in FILE', 'same content ...' (as the file before), 'w = 0..7 as [2,4]'. A file of which nothing is said must be read.
 */
import { sizeOf } from '../../graph/tensor-data.ts';
import type { NumberArray } from './compare.ts';

export interface Expectation {
  readonly refused: boolean;
  /** The safetensors file with the expected tensors. */
  readonly tensors?: string;
  /** Expected tensors given in the description itself. */
  readonly values?: ReadonlyMap<string, NumberArray>;
}

export function expectations(files: Readonly<Record<string, string>>): Map<string, Expectation> {
  const result = new Map<string, Expectation>();
  let previous: Expectation = { refused: false };
  for (const [name, description] of Object.entries(files)) {
    previous = expectationOf(description, previous);
    result.set(name, previous);
  }
  return result;
}

function expectationOf(description: string, previous: Expectation): Expectation {
  if (/\brefused\b/.test(description)) return { refused: true };
  const [, tensors] = /\bexpected (?:tensors )?in (\S+\.safetensors)/.exec(description) ?? [];
  if (tensors) return { refused: false, tensors };
  const counted = /\b(\w+) = 0\.\.(\d+) as \[([\d, ]+)\]/.exec(description);
  if (counted) return { refused: false, values: new Map([[counted[1], counting(counted[3])]]) };
  if (/\bsame\b/.test(description)) return previous;
  return { refused: false };
}

/** 0, 1, 2, ... in the given shape. */
function counting(shapeText: string): NumberArray {
  const shape = shapeText.split(',').map(Number);
  return { shape, data: Array.from({ length: sizeOf(shape) }, (_, i) => i) };
}
