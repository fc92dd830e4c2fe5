/** The words for a run whose device failed it: where it stands, and how to go on without that device. */
import type { ConfigKind } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { resumeCommand } from './way-on.ts';

export interface Standing {
  readonly folder: string;
  readonly kind: ConfigKind;
  /** Of the last checkpoint; undefined where there is none. */
  readonly saved: number | undefined;
}

export function deviceStop(error: UserError, { folder, kind, saved }: Standing): UserError {
  const stands =
    saved === undefined ? 'the run has no checkpoint yet' : `the run stands at its checkpoint of step ${saved}`;
  const from = saved === undefined ? 'start it again' : 'go on from there';
  const hint = `${error.hint} Once the device works, or on the processor, ${from}`.trim();
  const command = resumeCommand(kind, folder, '--device', 'cpu');
  return new UserError('device', `${error.message}; ${stands}`, `${hint}: ${command}`, { cause: error });
}
