/** `about.json` in a run folder: the person's own name and tags for a run. The run itself neither reads nor writes it. */

import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { containedIfThere, readOwnText } from '../../files/contained.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { z } from '../../protocol/config/zod.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';
import { annotationsSchema } from '../../protocol/rpc/runs.ts';
import { readRun } from './run-folder.ts';

const fileName = 'about.json';

export interface Annotations {
  /** '' where the person gave none. */
  readonly name: string;
  readonly tags: readonly string[];
  /** Why what the file says cannot be used; '' when it can, or there is none. */
  readonly warning: string;
}

const none: Annotations = { name: '', tags: [], warning: '' };

/** A damaged file counts as none, with a warning. */
export function readAnnotations(folder: string): Annotations {
  const file = path.join(folder, fileName);
  try {
    if (!containedIfThere(folder, fileName)) return none;
    return { ...annotationsSchema.parse(parseJson(readOwnText(folder, fileName, 'record'))), warning: '' };
  } catch (error) {
    const warning = error instanceof UserError ? error.message : `${file} cannot be read: ${reason(error)}`;
    return { ...none, warning };
  }
}

/**
 * Changes what is given and keeps the rest.
 * @throws UserError('data') when it is not a run folder, 'usage' when a name or tag is too long, 'io' when it cannot be
 * written
 */
export function writeAnnotations(folder: string, change: { name?: string; tags?: readonly string[] }): void {
  const { paths } = readRun(folder);
  const { warning: _, ...before } = readAnnotations(paths.folder);
  const { success, data: after, error } = safeParse(annotationsSchema, { ...before, ...change });
  if (!success) throw new UserError('usage', `this cannot be noted about the run: ${reason(error)}`, 'Shorten it.');
  writeFileAtomic(path.join(paths.folder, fileName), `${JSON.stringify(after, null, 2)}\n`);
}

function reason(error: unknown): string {
  if (error instanceof z.ZodError) return `${error.issues[0].path.join('.')}: ${error.issues[0].message}`;
  return error instanceof Error ? error.message : String(error);
}
