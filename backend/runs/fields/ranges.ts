/**
 * How far a recorded step's signed fields go from zero. Noted in the file's header when it is recorded, so that one scale for all
 * steps is known from their headers alone; of a file from before, found from its numbers.
 */
import type { TensorData } from '../../graph/tensor-data.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { type Range, robustRange } from '../../protocol/robust-range.ts';
import { type FieldRanges, fieldRangesSchema } from '../../protocol/rpc/runs.ts';
import type { FieldKind } from '../../training/session.ts';
import { readSafetensorsHeader } from '../../weights/safetensors.ts';

/** In the header's free text. */
export const rangesKey = 'ranges';

type Tensors = ReadonlyMap<string, Pick<TensorData, 'shape' | 'data'>>;

/** Of mu_real - mu_fake and grad; with a range per noise level of the probe, whose first axis is the level. */
export function rangesOf(kind: FieldKind, tensors: Tensors): FieldRanges {
  const [real, fake, grad] = ['muReal', 'muFake', 'grad'].map((name) => tensors.get(name));
  const compared = real && fake?.data.length === real.data.length;
  const levels = kind === 'probe' ? (tensors.get('sigma')?.data.length ?? 0) : 0;
  return {
    // In single precision, as whoever shows it subtracts.
    difference: compared
      ? levelRanges(real.data.length, levels, (i) => Math.fround(real.data[i]! - fake.data[i]!))
      : null,
    grad: grad ? levelRanges(grad.data.length, levels, (i) => grad.data[i]!) : null,
  };
}

function levelRanges(count: number, levels: number, value: (index: number) => number) {
  const each = levels > 0 && count % levels === 0 ? count / levels : 0;
  const ofLevels: Range[] = Array.from({ length: each > 0 ? levels : 0 }, (_, level) =>
    robustRange(each, (i) => value(level * each + i)),
  );
  return { ...robustRange(count, value), levels: ofLevels };
}

/** What a file's header says of itself; undefined where it says nothing. Throws UserError('weights'), or what reading throws. */
export async function notedRanges(file: string): Promise<FieldRanges | undefined> {
  const { metadata } = await readSafetensorsHeader(file);
  return parseRanges(metadata[rangesKey]);
}

/** A header is free text: what makes no sense says nothing. */
export function parseRanges(text: string | undefined): FieldRanges | undefined {
  if (text === undefined) return undefined;
  try {
    return safeParse(fieldRangesSchema, JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
