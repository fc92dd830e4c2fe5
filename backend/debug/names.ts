/**
 * What names mean in an expression, at a stop or between two of them: settings first, then the tensors of the stop, then the numbers
 * of the iteration. `loss/fake` is also `loss.fake`.
 */
import type { TensorData } from '../graph/tensor-data.ts';
import type { Adjustable } from '../training/trainer.ts';
import type { Names } from './expression/evaluate.ts';
import type { HeldTensors } from './held.ts';
import type { Measured } from './rules.ts';

export interface Surroundings {
  /** The iteration under way, or to come. */
  readonly step: number;
  readonly micro: number;
  /** The latest numbers that are known: the iteration's own once they are read, else those of the one before. */
  readonly measured: Measured | undefined;
  readonly adjustable: Adjustable | undefined;
  readonly held: HeldTensors;
}

/** A tag of the event files as an expression has it. */
export const dotted = (tag: string) => tag.replaceAll('/', '.');

/** The settings as they hold, by name. */
export function settingsAt(adjustable: Adjustable | undefined, step: number): Map<string, number> {
  if (!adjustable) return new Map();
  return new Map([...Object.entries(adjustable.natural(step)), ...adjustable.overrides]);
}

export function namesOf({ step, micro, measured, adjustable, held }: Surroundings): Names {
  const settings = settingsAt(adjustable, step);
  const numbers = new Map<string, number>([
    ['step', step],
    ['micro', micro],
  ]);
  const tags = new Map(Object.entries(measured?.numbers ?? {}));
  for (const [tag, value] of tags) numbers.set(dotted(tag), value);
  const tensor = (name: string) => {
    const found = held.find(name);
    return found && (async (): Promise<TensorData> => ({ shape: found.shape, data: await found.whole() }));
  };
  return {
    find: (name) => settings.get(name) ?? tensor(name) ?? numbers.get(name) ?? tags.get(name),
    list: () => [
      ...held.names.map((label) => ({ label, kind: 'tensor' as const })),
      ...[...settings.keys()].map((label) => ({ label, kind: 'setting' as const })),
      ...[...numbers.keys()].filter((name) => !settings.has(name)).map((label) => ({ label, kind: 'number' as const })),
    ],
  };
}
