/**
 * What a method of distillation brings to a config: keys of its own beside those that every distillation has. A method's section
 * is `config.ts` in its folder under methods/; it belongs to the protocol, since the editor reads configs too.
 */
import type { Complain } from './common.ts';
import type { z } from './zod.ts';

export { type Complain, choice, emaKey, every, optimizerKeys, whole } from './common.ts';
export { imageDataKeys, mirrorKey } from './image-data.ts';
export { checkLevels, generatorKeys, gradientKeys, levelsKey, recordKey } from './matching-keys.ts';
export { schedulePoints } from './schedule.ts';
export { againKey, lpipsKeys, pathRecordKey, studentKey, studentRecordKey, targetKey } from './student-keys.ts';
export { z } from './zod.ts';

export interface MethodSection<Keys extends z.ZodRawShape = z.ZodRawShape> {
  /** What the method is, in a line. */
  readonly title: string;
  readonly keys: Keys;
  /** Those of its keys that hold paths, dotted. */
  readonly paths: readonly string[];
  /** Those of its keys that decide what is opened, dotted. */
  readonly opens: readonly string[];
  /** Those of its keys that cannot change when a run is resumed, dotted; none unless given. */
  readonly fixed?: readonly string[];
  /** Complains of what no key can say by itself. @param config whole, with the keys that every distillation has */
  check(config: never, complain: Complain): void;
}
