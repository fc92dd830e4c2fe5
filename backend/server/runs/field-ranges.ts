/** The ranges of all recorded steps of a run: from the files' headers, and from the numbers of those that do not say. */
import fs from 'node:fs';
import { containedIfThere } from '../../files/contained.ts';
import { UserError } from '../../protocol/errors.ts';
import type { FieldKindName, FieldRanges, StepRanges } from '../../protocol/rpc/index.ts';
import { notedRanges, rangesOf } from '../../runs/fields/ranges.ts';
import type { RunPaths } from '../../runs/folder/run-folder.ts';
import { readFieldsAt } from './reading.ts';
import { recordedFile, recordedSteps } from './recorded-steps.ts';

/** Steps of this many runs' worth; a step's ranges are some hundred bytes. */
const mostFiles = 20_000;

export class FieldRangesCache {
  /** By path, time and size: a step that is recorded again is another file. */
  readonly #known = new Map<string, FieldRanges>();

  /**
   * Of the steps from one on, ascending. A file that is damaged, or makes room for another meanwhile, is left out.
   * @throws UserError('cancelled')
   */
  async read(paths: RunPaths, kind: FieldKindName, from: number, signal?: AbortSignal): Promise<StepRanges[]> {
    const found: StepRanges[] = [];
    for (const step of recordedSteps(paths, kind)) {
      if (step < from) continue;
      if (signal?.aborted) throw new UserError('cancelled', 'reading the ranges was stopped');
      const ranges = await this.#of(paths, kind, step);
      if (ranges) found.push({ step, ...ranges });
    }
    return found;
  }

  async #of(paths: RunPaths, kind: FieldKindName, step: number): Promise<FieldRanges | undefined> {
    try {
      const file = containedIfThere(paths.folder, recordedFile(kind, step));
      if (!file) return undefined;
      const { mtimeMs, size } = fs.statSync(file);
      const key = `${file} ${mtimeMs} ${size}`;
      const known = this.#known.get(key);
      if (known) return known;
      const ranges = (await notedRanges(file)) ?? (await measured(paths, kind, step));
      this.#known.set(key, ranges);
      for (const oldest of this.#known.keys()) {
        if (this.#known.size <= mostFiles) break;
        this.#known.delete(oldest);
      }
      return ranges;
    } catch {
      // What is wrong with it is said where it is to be shown.
      return undefined;
    }
  }
}

/** Of a file from before ranges were noted. */
async function measured(paths: RunPaths, kind: FieldKindName, step: number): Promise<FieldRanges> {
  const { tensors } = await readFieldsAt(paths, kind, step);
  return rangesOf(kind, new Map(tensors.map((tensor) => [tensor.name, tensor])));
}
