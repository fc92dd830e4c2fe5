/**
 * The cache that all programs of the Hugging Face hub share: models--ORG--NAME/ with blobs/HASH, snapshots/COMMIT/... (links
 * into the blobs) and refs/main (the commit). What Python has downloaded is found here, and the other way round.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readText } from '../../files/regular.ts';

/** Where the cache is: HF_HUB_CACHE, else `hub` in HF_HOME, else ~/.cache/huggingface/hub. */
export function hubCache(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE;
  if (named) return named;
  const home = env.HF_HOME ?? path.join(env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'huggingface');
  return path.join(home, 'hub');
}

export { isRepositoryName } from '../../protocol/repository-name.ts';

/** Folders of one repository in the cache. */
export function repositoryFolders(cache: string, repository: string) {
  const root = path.join(cache, `models--${repository.replaceAll('/', '--')}`);
  return {
    root,
    blob: (hash: string) => path.join(root, 'blobs', hash),
    snapshot: (commit: string) => path.join(root, 'snapshots', commit),
    ref: (revision: string) => path.join(root, 'refs', revision),
  };
}

/** The folder of a downloaded revision; undefined where it is not in the cache. */
export function cachedSnapshot(repository: string, revision = 'main', cache = hubCache()): string | undefined {
  const folders = repositoryFolders(cache, repository);
  const commit = isCommit(revision) ? revision : readRef(folders.ref(revision));
  if (commit === undefined) return undefined;
  const snapshot = folders.snapshot(commit);
  return fs.existsSync(snapshot) ? snapshot : undefined;
}

/** The repository that a snapshot in a cache is of: ORG/NAME; undefined for any other folder. */
export function snapshotRepository(folder: string): string | undefined {
  const [, organisation, name, commit = ''] =
    /models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]([^/\\]+)$/.exec(folder) ?? [];
  return isCommit(commit) ? `${organisation}/${name}` : undefined;
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

function readRef(file: string): string | undefined {
  try {
    const commit = readText(file, 'note').trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}
