/** What the editor's list shows of a run: its folder's word, corrected by the run itself where it can be heard. */
import path from 'node:path';
import type { RunRecord } from '../../protocol/rpc/index.ts';
import type { Greeting } from '../../protocol/run-link.ts';
import type { Annotations } from '../../runs/folder/annotations.ts';
import type { RunSummary } from '../../runs/folder/run-folder.ts';
import type { RunInfo } from '../../runs/folder/run-info.ts';
import { withoutCommand } from '../../runs/loop/way-on.ts';
import { recordedStep } from './recorded-steps.ts';

export interface Seen {
  readonly summary: RunSummary;
  readonly annotations: Annotations;
  /** undefined where there is no link to the run. */
  readonly standing: Greeting | undefined;
  readonly secondsLeft: number | null;
}

export function recordOf({ summary, annotations, standing, secondsLeft }: Seen): RunRecord {
  const { paths, info, state, owner, problem, hint, times } = summary;
  const step = standing?.step ?? info?.step ?? 0;
  const damaged = state === 'damaged' ? { message: problem, hint } : null;
  return {
    folder: paths.folder,
    name: annotations.name || path.basename(paths.folder),
    tags: [...annotations.tags],
    kind: info?.kind ?? null,
    state: standing && state !== 'damaged' ? standing.state : state,
    step: asStep(step),
    iterations: asStep(standing?.opened.iterations ?? info?.iterations ?? 0),
    device: info?.device ?? '',
    threads: info?.threads ?? 0,
    ranks: info?.ranks ?? 1,
    createdAt: info?.createdAt ?? times?.createdAt ?? null,
    startedAt: info?.startedAt ?? null,
    endedAt: info?.endedAt ?? null,
    updatedAt: info?.updatedAt ?? times?.updatedAt ?? null,
    secondsLeft,
    work: standing?.work ?? null,
    process: owner ? { pid: owner.pid, reachable: standing !== undefined || owner.contact !== '' } : null,
    error: damaged ?? (info?.error ? errorOf(info.error) : null),
  };
}

/** The editor has buttons for what a hint says to type. */
function errorOf({ message, hint, fields }: NonNullable<RunInfo['error']>): RunRecord['error'] {
  const stop = fields === undefined ? undefined : recordedStep('stop', fields);
  return { message, hint: withoutCommand(hint), ...(stop === undefined ? {} : { stop }) };
}

/** run.json is a file like any other: what it says may be no step. */
function asStep(value: number): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** The newest first. */
export function byAge(a: RunRecord, b: RunRecord): number {
  return (b.createdAt ?? '').localeCompare(a.createdAt ?? '') || b.folder.localeCompare(a.folder);
}
