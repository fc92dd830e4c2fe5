/**
 * One file of a repository into the cache. It is written under `HASH.incomplete`; a download that was broken off goes on
 * where it was, and what does not hash to its name never gets it.
 */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { asUserError } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import { type HubClient, type HubFile, stopped } from './client.ts';

export interface BlobRequest {
  readonly client: Pick<HubClient, 'open'>;
  readonly repository: string;
  readonly commit: string;
  readonly file: HubFile;
  /** Where it belongs. */
  readonly blob: string;
  /** Told the bytes of this file that are there. */
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How much of a file is there already, whole or as far as an earlier download came. */
export function bytesHere(blob: string, size: number): number {
  if (fs.existsSync(blob)) return size;
  const begun = fs.statSync(incompletePath(blob), { throwIfNoEntry: false })?.size ?? 0;
  return begun > size ? 0 : begun;
}

/** Does nothing for a file that is there. Throws UserError: 'io', 'data' for a wrong hash, 'cancelled'. */
export async function downloadBlob(request: BlobRequest): Promise<void> {
  const { file, blob, onBytes, signal } = request;
  if (signal?.aborted) throw stopped();
  if (fs.existsSync(blob)) {
    onBytes(file.size);
    return;
  }
  makeFolder(path.dirname(blob));
  const incomplete = incompletePath(blob);
  try {
    const hash = await complete(request, incomplete);
    if (hash !== file.hash) {
      await rm(incomplete, { force: true });
      const message = `${request.repository}: ${file.path} arrived damaged: its hash is ${hash}, not ${file.hash}`;
      throw new UserError('data', message, 'Run the same command again; only this file is fetched anew.');
    }
    await rename(incomplete, blob);
  } catch (error) {
    throw asUserError(error, 'write', incomplete);
  }
}

/** Fetches what is missing and returns the hash of the whole. */
async function complete(
  { client, repository, commit, file, onBytes, signal }: BlobRequest,
  incomplete: string,
): Promise<string> {
  const handle = await open(incomplete, 'a+');
  try {
    let { size: done } = await handle.stat();
    if (done > file.size) {
      await handle.truncate(0);
      done = 0;
    }
    const hash = hashFor(file);
    for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) hash.update(piece as Uint8Array);
    onBytes(done);
    if (done < file.size) {
      for await (const piece of await client.open(repository, commit, file, done)) {
        if (signal?.aborted) throw stopped();
        await handle.appendFile(piece);
        hash.update(piece);
        done += piece.length;
        onBytes(done);
      }
    }
    if (done < file.size) {
      const message = `${repository}: ${file.path} broke off after ${done} of ${file.size} bytes`;
      throw new UserError('io', message, 'Run the same command again: it goes on where it was.');
    }
    await handle.sync();
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

function incompletePath(blob: string): string {
  return `${blob}.incomplete`;
}

function hashFor({ kind, size }: HubFile): Hash {
  return kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}
