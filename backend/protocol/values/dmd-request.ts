/**
 * The request beyond the Debug Adapter Protocol by which a debug session of the type `dmd` gives an array whole, for the value
 * panel and the score watch. Arrays cross as base64, because a debugger's messages are JSON.
 */
import { z } from '../config/zod.ts';
import { cutSchema } from './value.ts';

export const readValueCommand = 'dmdReadValue';

export const readValueArguments = z.object({
  expression: z.string(),
  frameId: z.int().optional(),
  /** Looks at the array in another shape with as many numbers. */
  shape: z.array(z.int().min(0)).nullable(),
  /** Whether statistics are wanted. */
  count: z.boolean(),
  cut: cutSchema.nullable(),
});
export type ReadValueArguments = z.infer<typeof readValueArguments>;

export const readValueBody = z.object({
  shape: z.array(z.int().min(0)).max(5),
  dtype: z.string(),
  device: z.string(),
  /** `statisticNames`, as little-endian float64 in base64; null: not counted. */
  statistics: z.string().nullable(),
  /** The cut's numbers as little-endian float32 in base64; null: none was asked for. */
  numbers: z.string().nullable(),
});
export type ReadValueBody = z.infer<typeof readValueBody>;
