/**
 * One case of reference data: a folder with case.json (what was computed and how close one must come), io.safetensors
 * (inputs and expected arrays) and, for most kinds, weights.safetensors. Everything a check needs comes from here.
 */

import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { readTextAside } from '../../files/regular.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Limit, NumberArray } from './compare.ts';
import { readArrays } from './read-arrays.ts';

const arraySchema = z.looseObject({
  role: z.enum(['input', 'expected']),
  shape: z.array(z.int().nonnegative()),
  tolerance: z.number().nonnegative().optional(),
  tolerance_rms_rel: z.number().nonnegative().optional(),
  max_abs_f32_vs_f64: z.number().nonnegative().optional(),
});

const scalarSchema = z.looseObject({
  value: z.union([z.number(), z.literal(Infinity)]),
  tolerance: z.number().nonnegative().optional(),
});

const caseSchema = z.looseObject({
  kind: z.string().min(1),
  config: z.record(z.string(), z.unknown()).default({}),
  arrays: z.record(z.string(), arraySchema).default({}),
  scalars: z.record(z.string(), scalarSchema).default({}),
});

export type ArraySpec = z.infer<typeof arraySchema>;
export type CaseJson = z.infer<typeof caseSchema>;

/** The tolerance where a case states none: what its own README calls the least. */
const leastTolerance = 1e-5;
/** Tolerances of the reference data are so many times the difference between float32 and float64. */
const roundingMargin = 16;

/** Reads and checks case.json. Throws UserError('data') that names the file and the key. */
export async function readCaseJson(folder: string): Promise<CaseJson> {
  const file = join(folder, 'case.json');
  let raw: unknown;
  try {
    raw = parsePythonJson(await readTextAside(file, 'manifest'));
  } catch (error) {
    throw damaged(`${file} cannot be read: ${(error as Error).message}`, error);
  }
  const parsed = safeParse(caseSchema, raw);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw damaged(`${file}: ${path.join('.') || 'the file'}: ${message}`);
}

export class Case {
  readonly folder: string;
  readonly name: string;
  readonly json: CaseJson;
  /** What io.safetensors holds, by name. */
  readonly #arrays: ReadonlyMap<string, NumberArray>;

  private constructor(folder: string, json: CaseJson, arrays: ReadonlyMap<string, NumberArray>) {
    this.folder = folder;
    this.name = basename(resolve(folder));
    this.json = json;
    this.#arrays = arrays;
  }

  /** Throws UserError('data' or 'weights') when a file is missing or damaged or does not hold what case.json says. */
  static async open(folder: string, json: CaseJson): Promise<Case> {
    const file = join(folder, 'io.safetensors');
    const arrays = await readArrays(file);
    for (const [name, { shape }] of Object.entries(json.arrays)) {
      const array = arrays.get(name);
      if (!array) throw damaged(`${file}: array '${name}' of case.json is missing`);
      if (array.shape.join() !== shape.join()) {
        throw damaged(`${file}: array '${name}' is [${array.shape}] where case.json says [${shape}]`);
      }
      if (array.data.length !== sizeOf(shape)) throw damaged(`${file}: array '${name}' has a wrong size`);
    }
    return new Case(folder, json, arrays);
  }

  /** Expected arrays with what they must come close to. */
  get expected(): { name: string; array: NumberArray; spec: ArraySpec }[] {
    return Object.entries(this.json.arrays)
      .filter(([, spec]) => spec.role === 'expected')
      .map(([name, spec]) => ({ name, array: this.array(name), spec }));
  }

  /** Whether case.json lists this array as expected. */
  expects(name: string): boolean {
    return this.json.arrays[name]?.role === 'expected';
  }

  has(name: string): boolean {
    return name in this.json.arrays;
  }

  /** An array of case.json with its own precision. */
  array(name: string): NumberArray {
    const array = this.has(name) ? this.#arrays.get(name) : undefined;
    if (!array) throw damaged(`${join(this.folder, 'case.json')}: the array '${name}' is needed and not listed`);
    return array;
  }

  /** An array as the networks take it. `shape` gives the sizes it must have; -1 stands for any. */
  input(name: string, shape?: readonly number[]): TensorData {
    const array = this.array(name);
    const fits =
      !shape || (shape.length === array.shape.length && shape.every((n, i) => n < 0 || n === array.shape[i]));
    if (!fits) throw damaged(`${this.name}: array '${name}' is [${array.shape}] where [${shape}] is needed`);
    return { shape: array.shape, data: Float32Array.from(array.data) };
  }

  /** A part of case.json checked against a schema. Throws UserError('data') that names the key. */
  part<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
    const parsed = safeParse(schema, value);
    if (parsed.success) return parsed.data;
    const [{ path, message }] = parsed.error.issues;
    throw damaged(`${join(this.folder, 'case.json')}: ${[where, ...path].join('.')}: ${message}`);
  }
}

/** The tolerance of an expected array. */
export function limitOf(spec: { tolerance?: number; tolerance_rms_rel?: number }): Limit {
  return { relative: spec.tolerance ?? leastTolerance, rms: spec.tolerance_rms_rel };
}

/** For arrays that only state how far float32 and float64 are apart: the reference data's own rule. */
export function limitFromRounding(maxAbsolute: number, largest: number): Limit {
  return { absolute: Math.max(roundingMargin * maxAbsolute, leastTolerance * largest) };
}

/** A case that cannot be checked because it is not what it says. */
export function damaged(message: string, cause?: unknown): UserError {
  return new UserError('data', message, 'Fetch or record the case again.', { cause });
}

/** JSON as Python's writer leaves it: with Infinity as a bare word, or as the text 'inf'. NaN stays an error. */
function parsePythonJson(text: string): unknown {
  // 1e999 is how JSON can say Infinity; the first alternative steps over text.
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|Infinity/g, (token) => (token === 'Infinity' ? '1e999' : token));
  return JSON.parse(plain, (_, value: unknown) => (value === 'inf' || value === 'Infinity' ? Infinity : value));
}
