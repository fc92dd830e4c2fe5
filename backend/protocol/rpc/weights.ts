/** Files of weights, looked at tensor by tensor: the numbers of a tensor are read in slices and never held whole. */
import { z } from '../config/zod.ts';
import { arrayValueSchema, cutSchema } from '../values/value.ts';
import { float64, path, request } from './define.ts';

const size = z.int().min(0);

/** What a safetensors file holds; reads its header alone. UserError('weights') in words for a damaged file. */
export const describeWeights = request(
  'weights/describe',
  z.object({ path }),
  z.object({
    /** Of the file. */
    bytes: z.number(),
    metadata: z.record(z.string(), z.string()),
    /** In the file's order. */
    tensors: z.array(z.object({ name: z.string(), dtype: z.string(), shape: z.array(size) })),
  }),
  120,
);
export type WeightsContent = z.infer<typeof describeWeights.result>;

/**
 * A tensor, as a value of a stopped program is read: its statistics, or the numbers that are seen of it. Of more than five axes the
 * first ones are taken as one.
 */
export const readWeights = request(
  'weights/read',
  z.object({
    path,
    name: z.string(),
    /** Looks at it in another shape with as many numbers. */
    shape: z.array(size).max(5).nullable(),
    count: z.boolean(),
    cut: cutSchema.nullable(),
  }),
  arrayValueSchema,
  null,
);

/** How often numbers fall into each of `bins` equal parts of low..high; NaN, infinities and what lies outside are left out. */
export const countWeights = request(
  'weights/histogram',
  z.object({ path, name: z.string(), low: z.number(), high: z.number(), bins: z.int().min(1).max(1000) }),
  z.object({ counts: float64 }),
  null,
);
