/** An array of a stopped program, as the extension host reads it and a page shows it. */
import { z } from '../config/zod.ts';
import { float32, float64 } from '../rpc/define.ts';

const size = z.int().min(0);

/** Numbers of one picture: 2048 by 1024, 8 MiB as float32. */
export const mostShown = 1 << 21;

/** What is seen at once. Every list but `order` has an entry for each axis of the array. */
export const cutSchema = z.object({
  /** The index on an axis; null: the whole axis is seen. */
  at: z.array(size.nullable()).max(5),
  /** Every n-th along an axis. */
  step: z.array(z.int().min(1)).max(5),
  /** The axes that are seen whole, in the order in which their numbers come: the index on the last changes fastest. */
  order: z.array(size).max(5),
});
export type Cut = z.infer<typeof cutSchema>;

/** The numbers of `statistics`, in their order: of the whole array, those of size without NaN and infinities. */
export const statisticNames = ['count', 'min', 'mean', 'max', 'std', 'nan', 'above', 'below', 'zero'] as const;
export type StatisticName = (typeof statisticNames)[number];

export const arrayValueSchema = z.object({
  shape: z.array(size).max(5),
  /** As its library writes it, e.g. `bfloat16`. */
  dtype: z.string(),
  /** Empty: a file. */
  device: z.string(),
  /** Whose array it is: `torch`, `numpy`, `Float32Array`. */
  library: z.string(),
  /** False: too large to be counted, and all statistics are NaN. */
  counted: z.boolean(),
  /** `statisticNames`. */
  statistics: float64,
  /** The cut that was asked for, in the order that it names; null: none was. */
  numbers: z.union([float32, float64]).nullable(),
});
export type ArrayValue = z.infer<typeof arrayValueSchema>;

export function statistic({ statistics }: ArrayValue, name: StatisticName): number {
  return statistics[statisticNames.indexOf(name)]!;
}
