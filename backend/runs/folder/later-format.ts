/** Run folders outlive versions of this program: what a later one wrote is left as it is. */
import { UserError } from '../../protocol/errors.ts';

/** @param known the format that this version reads */
export function laterFormat(file: string, format: unknown, known: number): UserError {
  const message = `${file} has format ${String(format)}, and this version of DMD Workbench reads format ${known}`;
  return new UserError(
    'data',
    `${message}: a later version wrote it`,
    'Go on with that version; nothing was changed here.',
  );
}

/** Whether a format number is one that a later version gave. */
export function isLater(format: unknown, known: number): boolean {
  return typeof format === 'number' && Number.isInteger(format) && format > known;
}
