/**
 * Weights of cases without a weights file: each number follows an integer hash of its tensor's name and its index
 * (`weight_formula` in case.json), and recorded check values say whether the formula was read right.
 */
import { z } from 'zod';
import type { ParameterEntry } from '../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { type Case, damaged } from './case.ts';

/** From u, uniform in [0, 1), to a weight. */
export type WeightRule = (u: number) => number;

const formulaSchema = z.looseObject({
  rules: z.record(z.string(), z.string()),
  check: z.array(z.looseObject({ name: z.string(), index: z.int().nonnegative(), value: z.number() })),
});

/** The rules in words, by name pattern. */
export function formulaRules(theCase: Case): Record<string, string> {
  return theCase.part(formulaSchema, theCase.json.weight_formula, 'weight_formula').rules;
}

/**
 * Fills the tensors of a layout. Throws UserError('data') when a check value of the case does not come out: then the
 * formula is another one than this version knows.
 */
export function formulaWeights(
  theCase: Case,
  entries: readonly Pick<ParameterEntry, 'name' | 'shape'>[],
  ruleOf: (name: string, shape: readonly number[]) => WeightRule,
): Map<string, TensorData> {
  const weights = new Map(
    entries.map(({ name, shape }) => [
      name,
      { shape, data: Float32Array.from(hashedNumbers(name, sizeOf(shape), ruleOf(name, shape))) },
    ]),
  );
  for (const { name, index, value } of theCase.part(formulaSchema, theCase.json.weight_formula, 'weight_formula')
    .check) {
    if (weights.has(name) && weights.get(name)!.data[index] !== Math.fround(value)) {
      throw damaged(`${theCase.name}: its weight_formula gives '${name}'[${index}] another value than its check says`);
    }
  }
  return weights;
}

/** FNV-1a of the name, plus index times the golden ratio, through the finaliser of MurmurHash3. In float64. */
export function hashedNumbers(name: string, count: number, rule: WeightRule): Float64Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return rule(((x ^ (x >>> 16)) >>> 0) / 2 ** 32);
  });
}
