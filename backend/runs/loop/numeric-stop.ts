/** The words for a run that was stopped by a NaN or an infinity. */
import path from 'node:path';
import type { ConfigKind } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Scalars } from '../../training/trainer.ts';
import { resumeCommand } from './way-on.ts';

export class NumericError extends UserError {
  /** The file with what the iteration had in hand, in the run folder: fields/stop/... */
  readonly fields: string;

  constructor(fields: string, message: string, hint: string) {
    super('numeric', message, hint);
    this.fields = fields;
  }
}

/** @param tensors the file with what the iteration had in hand */
export function numericError(
  step: number,
  scalars: Scalars,
  { tensors, folder, kind }: { tensors: string; folder: string; kind: ConfigKind },
): NumericError {
  const names = Object.entries(scalars).flatMap(([name, value]) => (Number.isFinite(value) ? [] : [name]));
  const rate = kind === 'distill' ? 'generator.lr' : 'optimizer.lr';
  return new NumericError(
    path.relative(folder, tensors).replaceAll(path.sep, '/'),
    `${names.join(', ')} became NaN or infinite in step ${step}; the step was not committed, and its tensors are in ${tensors}`,
    `Look at them, then go on from step ${step - 1}, for example with a lower rate: ${resumeCommand(kind, folder, '--set', `${rate}=...`)}`,
  );
}
