/** What a download would fetch, for somebody who has not decided yet. */
import { UserError } from '../../protocol/errors.ts';
import type { HubFile } from './client.ts';
import { modelIndex } from './model-files.ts';
import { openRevision, type RevisionRequest } from './revision.ts';
import { wantedFiles } from './wanted-files.ts';

/** A choice of weights. */
export interface Offer {
  /** As `downloadModel` takes it: '' for the full precision (where a network has none, float16), or fp16. */
  readonly variant: string;
  readonly files: number;
  readonly bytes: number;
  /** How many of the bytes are in the cache already. */
  readonly here: number;
}

export interface DownloadPlan {
  readonly commit: string;
  /** One, or the full precision and half of it. */
  readonly offers: readonly Offer[];
}

/** Errors as `downloadModel`. */
export async function planDownload(request: RevisionRequest): Promise<DownloadPlan> {
  const revision = await openRevision(request);
  const index = await modelIndex(revision);
  const chosen = (variant?: string) => wantedFiles(revision.repository, revision.files, index, variant);
  const offer = (variant: string, files: readonly HubFile[]): Offer => {
    const sum = (size: (file: HubFile) => number) => files.reduce((total, file) => total + size(file), 0);
    return { variant, files: files.length, bytes: sum(({ size }) => size), here: sum(revision.here) };
  };
  const full = chosen();
  const half = unlessMissing(() => chosen('fp16'));
  const isOther = half?.some((file) => !full.includes(file));
  return { commit: revision.commit, offers: [offer('', full), ...(half && isOther ? [offer('fp16', half)] : [])] };
}

/** Many repositories have one precision only. */
function unlessMissing<T>(choose: () => T): T | undefined {
  try {
    return choose();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
