/**
 * Downloads a text-to-image model from the Hugging Face hub into its usual cache: of a diffusers repository only what is
 * needed to run it, one precision of each network.
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { onDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import { indexFile, readJsonObject } from '../../weights/diffusers/index.ts';
import { hubCache, isCommit, isRepositoryName, repositoryFolders } from './cache.ts';
import type { HubClient, HubFile } from './client.ts';
import { downloadBlob } from './download-blob.ts';
import { wantedFiles } from './wanted-files.ts';

export interface DownloadRequest {
  /** ORGANISATION/NAME */
  readonly repository: string;
  readonly client: HubClient;
  /** Branch, tag or commit. Default main. */
  readonly revision?: string;
  /** Which precision of the networks, e.g. fp16. */
  readonly variant?: string;
  /** Exactly these files instead of a model's, e.g. a single UNet. */
  readonly files?: readonly string[];
  readonly cache?: string;
  /** Told bytes done and in all, with the file under way. */
  readonly onProgress?: (done: number, total: number, file: string) => void;
  readonly signal?: AbortSignal;
}

export interface Downloaded {
  /** The snapshot, which is a model folder. */
  readonly folder: string;
  readonly commit: string;
  readonly bytes: number;
  readonly files: readonly string[];
}

/** Throws UserError: 'usage' for the name, 'io' for the hub and the disk, 'data' for a damaged file, 'cancelled'. */
export async function downloadModel(request: DownloadRequest): Promise<Downloaded> {
  const { repository, client, revision = 'main', cache = hubCache(), onProgress, signal } = request;
  if (!isRepositoryName(repository)) {
    throw new UserError('usage', `${repository} is no name of a model on the hub`, 'Names are ORGANISATION/NAME.');
  }
  const commit = isCommit(revision) ? revision : await client.commit(repository, revision);
  const all = (await client.files(repository, commit)).map(checked);
  const folders = repositoryFolders(cache, repository);
  const snapshot = folders.snapshot(commit);
  const get = async (file: HubFile, onBytes: (bytes: number) => void) => {
    const blob = folders.blob(file.hash);
    await downloadBlob({ client, repository, commit, file, blob, onBytes, signal });
    link(blob, path.join(snapshot, file.path));
  };
  const wanted = await choose(request, all, async (file) => {
    await get(file, () => {});
    return path.join(snapshot, file.path);
  });
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of wanted) {
    await get(file, (bytes) => onProgress?.(before + bytes, total, file.path));
    before += file.size;
  }
  if (!isCommit(revision)) {
    makeFolder(path.dirname(folders.ref(revision)));
    writeFileAtomic(folders.ref(revision), commit);
  }
  return { folder: snapshot, commit, bytes: total, files: wanted.map((file) => file.path) };
}

async function choose(
  { repository, files, variant }: DownloadRequest,
  all: readonly HubFile[],
  fetched: (file: HubFile) => Promise<string>,
): Promise<HubFile[]> {
  const named = (name: string) => all.find((file) => file.path === name);
  if (files) {
    return files.map((name) => {
      const file = named(name);
      if (file) return file;
      throw new UserError('io', `${repository} has no file ${name}`, `It has ${listed(all)}.`);
    });
  }
  const index = named(indexFile);
  if (!index) {
    const message = `${repository} is not a text-to-image model: it has no ${indexFile}`;
    throw new UserError('io', message, `It has ${listed(all)}; --file fetches one of them.`);
  }
  return wantedFiles(repository, all, readJsonObject(await fetched(index)), variant);
}

function listed(files: readonly HubFile[]): string {
  const shown = files.slice(0, 5).map((file) => file.path);
  return `${shown.join(', ')}${files.length > shown.length ? `, and ${files.length - shown.length} more files` : ''}`;
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
function link(blob: string, file: string): void {
  makeFolder(path.dirname(file));
  onDisk('write', file, () => {
    fs.rmSync(file, { force: true });
    try {
      fs.symlinkSync(path.relative(path.dirname(file), blob), file);
    } catch {
      fs.copyFileSync(blob, file);
    }
  });
}
