/**
 * Downloads a text-to-image model from the Hugging Face hub into its usual cache: of a diffusers repository only what is
 * needed to run it, one precision of each network.
 */
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import type { HubFile } from './client.ts';
import { listed, modelIndex } from './model-files.ts';
import { openRevision, type Revision, type RevisionRequest } from './revision.ts';
import { wantedFiles } from './wanted-files.ts';

export interface DownloadRequest extends RevisionRequest {
  /** Which precision of the networks, e.g. fp16. */
  readonly variant?: string;
  /** Exactly these files instead of a model's, e.g. a single UNet. */
  readonly files?: readonly string[];
  /** Told bytes done and in all, with the file under way. */
  readonly onProgress?: (done: number, total: number, file: string) => void;
}

export interface Downloaded {
  /** The snapshot, which is a model folder. */
  readonly folder: string;
  readonly commit: string;
  readonly bytes: number;
  readonly files: readonly string[];
}

/**
 * @throws UserError: 'usage' for the name, 'io' for the hub and the disk, 'weights' for a kind of model that is not
 *   supported, 'data' for a damaged file, 'cancelled'
 */
export async function downloadModel(request: DownloadRequest): Promise<Downloaded> {
  const { onProgress } = request;
  const revision = await openRevision(request);
  const { commit, snapshot, ref } = revision;
  const wanted = await choose(revision, request);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of wanted) {
    await revision.get(file, (bytes) => onProgress?.(before + bytes, total, file.path));
    before += file.size;
  }
  if (ref !== undefined) {
    makeFolder(path.dirname(ref));
    writeFileAtomic(ref, commit);
  }
  return { folder: snapshot, commit, bytes: total, files: wanted.map((file) => file.path) };
}

async function choose(revision: Revision, { files, variant }: DownloadRequest): Promise<HubFile[]> {
  const { repository, files: all } = revision;
  if (!files) return wantedFiles(repository, all, await modelIndex(revision), variant);
  return files.map((name) => {
    const file = all.find(({ path }) => path === name);
    if (file) return file;
    throw new UserError('io', `${repository} has no file ${name}`, `It has ${listed(all)}.`);
  });
}
