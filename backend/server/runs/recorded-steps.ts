/** Which steps have samples and fields, from the names in the run folder; and what has changed since the last look. */
import fs from 'node:fs';
import path from 'node:path';
import { listFolder } from '../../files/folders.ts';
import type { LiveEvent } from '../../protocol/rpc/index.ts';
import { listCheckpoints } from '../../runs/checkpoints/checkpoint-list.ts';
import type { RunPaths } from '../../runs/folder/run-folder.ts';
import { fieldKinds } from '../../training/session.ts';

type RecordedEvent = Extract<LiveEvent, { type: 'recorded' }>;
export type RecordedKind = RecordedEvent['kind'];

export const recordedKinds = ['samples', ...fieldKinds, 'checkpoint'] as const satisfies readonly RecordedKind[];
/** What is a file of its own. */
export type RecordedFile = Exclude<RecordedKind, 'checkpoint'>;

/** The name of a recorded file in the run folder. */
export function recordedFile(kind: RecordedFile, step: number): string {
  const name = `step-${String(step).padStart(8, '0')}`;
  return kind === 'samples' ? path.join('samples', `${name}.png`) : path.join('fields', kind, `${name}.safetensors`);
}

const stepIn = {
  samples: /^step-(\d{8,15})\.png$/,
  fields: /^step-(\d{8,15})\.safetensors$/,
};

/** The step of a recorded file's name in the run folder; undefined where it is none. */
export function recordedStep(kind: RecordedFile, file: string): number | undefined {
  const found = (kind === 'samples' ? stepIn.samples : stepIn.fields).exec(file.split('/').at(-1)!)?.[1];
  return found !== undefined && recordedFile(kind, Number(found)) === path.normalize(file) ? Number(found) : undefined;
}

/** Ascending. */
export function recordedSteps(paths: RunPaths, kind: RecordedKind): number[] {
  if (kind === 'checkpoint') {
    const steps = listCheckpoints(paths.checkpoints).map(({ step }) => step);
    return [...new Set(steps)].reverse();
  }
  const names = listFolder(folderOf(paths, kind));
  const pattern = kind === 'samples' ? stepIn.samples : stepIn.fields;
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function folderOf(paths: RunPaths, kind: RecordedKind): string {
  if (kind === 'checkpoint') return paths.checkpoints;
  return kind === 'samples' ? paths.samples : path.join(paths.fields, kind);
}

export class RecordedSteps {
  readonly #paths: RunPaths;
  readonly #known = new Map<RecordedKind, { modified: number; steps: ReadonlySet<number> }>();

  constructor(paths: RunPaths) {
    this.#paths = paths;
  }

  /** What was recorded since the last call; everything there is on the first. */
  news(): RecordedEvent[] {
    return recordedKinds.flatMap((kind) => {
      const modified = modifiedAt(folderOf(this.#paths, kind));
      const before = this.#known.get(kind);
      // A file system's clock is coarse: what came just after a look may carry the same time.
      if (before?.modified === modified && Date.now() - modified > 2000) return [];
      const steps = new Set(recordedSteps(this.#paths, kind));
      this.#known.set(kind, { modified, steps });
      const dropped = [...(before?.steps ?? [])].filter((step) => !steps.has(step));
      const added = [...steps].filter((step) => !before?.steps.has(step));
      return added.map((step, i): RecordedEvent => ({ type: 'recorded', kind, step, dropped: i === 0 ? dropped : [] }));
    });
  }

  /** Something told by the run itself is no news any more. */
  note({ kind, step, dropped }: Omit<RecordedEvent, 'type'>): void {
    const before = this.#known.get(kind);
    const steps = new Set([...(before?.steps ?? []), step]);
    for (const gone of dropped) steps.delete(gone);
    this.#known.set(kind, { modified: before?.modified ?? -1, steps });
  }

  /** The run went back: the steps from here on will be recorded again, but for those of a stop and checkpoints, which stay. */
  dropFrom(step: number): void {
    for (const [kind, { steps }] of this.#known) {
      if (kind === 'stop' || kind === 'checkpoint') continue;
      this.#known.set(kind, { modified: -1, steps: new Set([...steps].filter((at) => at < step)) });
    }
  }
}

function modifiedAt(folder: string): number {
  return fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
