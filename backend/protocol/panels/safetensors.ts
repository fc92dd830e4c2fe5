/**
 * The page that shows a safetensors file: its tensors in a list, and one of them as the value page shows an array, which it asks for
 * with that page's `readArray`: the expression is the tensor's name.
 */
import { z } from '../config/zod.ts';
import { request } from '../rpc/define.ts';
import { countWeights, describeWeights } from '../rpc/weights.ts';
import { valueStateSchema } from './value.ts';
import type { ValueTexts } from './value-texts.ts';

/** What the file holds. Ends with an error in words where it is damaged. */
export const openFile = request('safetensors/open', z.object({}), describeWeights.result, 120);

export const readHistogram = request(
  'safetensors/histogram',
  z.object({ name: z.string(), low: z.number(), high: z.number(), bins: z.int().min(1).max(1000) }),
  countWeights.result,
  null,
);

/** What the page keeps for its next life: which tensor is looked at, and how. */
export const safetensorsStateSchema = z.object({ tensor: valueStateSchema.nullable(), filter: z.string() });
export type SafetensorsState = z.infer<typeof safetensorsStateSchema>;

/** `{0}` is filled in by the page. */
export interface SafetensorsTexts extends ValueTexts {
  readonly opening: string;
  readonly again: string;
  readonly filter: string;
  readonly tensors: string;
  readonly summary: string;
  readonly more: string;
  readonly noTensor: string;
  readonly noneFits: string;
  readonly empty: string;
  readonly choose: string;
  readonly metadata: string;
  readonly histogram: string;
  readonly histogramSpoken: string;
}

export const safetensorsInitialSchema = z.object({
  texts: z.record(z.string(), z.string()).transform((all) => all as unknown as SafetensorsTexts),
  file: z.string(),
});
