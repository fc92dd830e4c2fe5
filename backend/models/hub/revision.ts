/** One revision of a repository: which files the hub lists, and how one of them comes into the cache. */
import { copyFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { asUserError } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import { hubCache, isCommit, isRepositoryName, repositoryFolders } from './cache.ts';
import type { HubClient, HubFile } from './client.ts';
import { bytesHere, downloadBlob } from './download-blob.ts';

export interface RevisionRequest {
  /** ORGANISATION/NAME */
  readonly repository: string;
  readonly client: HubClient;
  /** Branch, tag or commit. Default main. */
  readonly revision?: string;
  readonly cache?: string;
  readonly signal?: AbortSignal;
}

export interface Revision {
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly HubFile[];
  /** Its folder in the cache, which may not be there yet. */
  readonly snapshot: string;
  /** Where the cache keeps which commit a branch or tag is; undefined when the revision is a commit itself. */
  readonly ref: string | undefined;
  /** Bytes of a file that need not be fetched. */
  here(file: HubFile): number;
  /** Puts a file into the snapshot, from the hub where it is not in the cache. Returns its path. */
  get(file: HubFile, onBytes?: (bytes: number) => void): Promise<string>;
}

/** Writes nothing. Throws UserError: 'usage' for the name, 'io' for the hub and for files that could lead elsewhere. */
export async function openRevision(request: RevisionRequest): Promise<Revision> {
  const { repository, client, revision = 'main', cache = hubCache(), signal } = request;
  if (!isRepositoryName(repository)) {
    throw new UserError('usage', `${repository} is no name of a model on the hub`, 'Names are ORGANISATION/NAME.');
  }
  const commit = isCommit(revision) ? revision : await client.commit(repository, revision);
  const files = (await client.files(repository, commit)).map(checked);
  const folders = repositoryFolders(cache, repository);
  const snapshot = folders.snapshot(commit);
  return {
    ...{ repository, commit, files, snapshot },
    ref: isCommit(revision) ? undefined : folders.ref(revision),
    here: ({ hash, size }) => bytesHere(folders.blob(hash), size),
    async get(file, onBytes = () => {}) {
      const blob = folders.blob(file.hash);
      await downloadBlob({ client, repository, commit, file, blob, onBytes, signal });
      const placed = path.join(snapshot, file.path);
      await link(blob, placed);
      return placed;
    },
  };
}

/** Names and hashes become paths: nothing that could lead anywhere else. */
function checked(file: HubFile): HubFile {
  const parts = file.path.split('/');
  const isPlain = parts.every((part) => /^[^\\:\0]+$/.test(part) && part !== '.' && part !== '..');
  const hash = file.kind === 'sha256' ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/;
  if (isPlain && hash.test(file.hash) && Number.isSafeInteger(file.size) && file.size >= 0) return file;
  throw new UserError(
    'io',
    `the hub lists an impossible file, ${JSON.stringify(file.path)}`,
    'Do not trust this model.',
  );
}

/** A relative link, so that the cache can be moved; a copy where the system has no links. */
async function link(blob: string, file: string): Promise<void> {
  makeFolder(path.dirname(file));
  try {
    await rm(file, { force: true });
    await symlink(path.relative(path.dirname(file), blob), file).catch(() => copyFile(blob, file));
  } catch (error) {
    throw asUserError(error, 'write', file);
  }
}
