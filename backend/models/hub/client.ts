/**
 * What a download asks of the Hugging Face hub, through its own package, which is loaded only here. Errors come out as
 * sentences for a person: offline, not found, not allowed.
 */
import { UserError } from '../../protocol/errors.ts';
import { hubEndpoint } from './endpoint.ts';

export interface HubFile {
  /** In the repository, with slashes. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** What the content must hash to: SHA-256 for large files, Git's blob hash (SHA-1) for the others. */
  readonly hash: string;
  readonly kind: 'sha256' | 'git';
}

export interface HubClient {
  /** The commit that a branch, tag or commit stands for. */
  commit(repository: string, revision: string): Promise<string>;
  files(repository: string, commit: string): Promise<readonly HubFile[]>;
  /** The content of a file from byte `from` on, 0 <= from < size. */
  open(repository: string, commit: string, file: HubFile, from: number): Promise<AsyncIterable<Uint8Array>>;
}

export interface HubOptions {
  /** For repositories that ask for a login. Default: the environment's HF_TOKEN. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
  /** Ends what is under way: a hub that does not answer keeps nobody waiting. */
  readonly signal?: AbortSignal;
}

export async function openHub({
  token = process.env.HF_TOKEN,
  fetch: own = fetch,
  signal,
}: HubOptions = {}): Promise<HubClient> {
  const hub = await import('@huggingface/hub');
  const options = {
    ...(token ? { accessToken: token } : {}),
    fetch: signal ? stoppable(own, signal) : own,
    hubUrl: hubEndpoint(),
  };
  return {
    commit: (name, revision) =>
      plainly(name, async () => (await hub.modelInfo({ ...options, name, revision, additionalFields: ['sha'] })).sha),
    files: (repo, revision) =>
      plainly(repo, async () => {
        const files: HubFile[] = [];
        for await (const entry of hub.listFiles({ ...options, repo, revision, recursive: true })) {
          if (entry.type !== 'file') continue;
          const { path, size, lfs, oid = '' } = entry;
          files.push(lfs ? { path, size, hash: lfs.oid, kind: 'sha256' } : { path, size, hash: oid, kind: 'git' });
        }
        return files;
      }),
    open: (repo, revision, { path }, from) =>
      plainly(repo, async () => {
        const blob = await hub.downloadFile({ ...options, repo, revision, path });
        if (!blob) throw new UserError('io', `${repo} has no file ${path}`, 'Look at its page on the hub.');
        const rest = from === 0 ? blob : blob.slice(from, blob.size);
        return errorsPlainly(repo, rest.stream() as unknown as AsyncIterable<Uint8Array>);
      }),
  };
}

function stoppable(own: typeof fetch, signal: AbortSignal): typeof fetch {
  return (input, init) =>
    own(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, signal]) : signal });
}

async function plainly<T>(repository: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw explained(repository, error);
  }
}

async function* errorsPlainly(repository: string, stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw explained(repository, error);
  }
}

/** As a person should read it; anything that is neither the network's nor the hub's refusal stays as it is. */
export function explained(repository: string, error: unknown): unknown {
  if (error instanceof UserError) return error;
  if (error instanceof Error && error.name === 'AbortError') return stopped();
  const status = statusOf(error);
  if (status === 401 || status === 403) {
    const hint = 'It may not exist, or ask for a login: accept its terms on its page and set HF_TOKEN.';
    return new UserError('io', `the hub does not give ${repository} to everybody (${status})`, hint, { cause: error });
  }
  if (status === 404) {
    const message = `the hub has no model ${repository}, or not this revision of it`;
    return new UserError('io', message, 'Check the name: ORGANISATION/NAME.', { cause: error });
  }
  if (status !== undefined) {
    return new UserError(
      'io',
      `the hub answered ${status} for ${repository}`,
      'Try again later; what was loaded is kept.',
      {
        cause: error,
      },
    );
  }
  if (!isNetworkError(error)) return error;
  const message = `the Hugging Face hub cannot be reached (${reasonOf(error)})`;
  const hint = 'Models that are on this machine work without it. Connect and run the same command again: it goes on.';
  return new UserError('io', message, hint, { cause: error });
}

/** What a download throws that somebody stopped. */
export function stopped(): UserError {
  return new UserError('cancelled', 'The download was stopped; it goes on when asked again.');
}

function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** fetch throws a TypeError whose cause has the system's code; a stream that breaks off ends in one of these, too. */
export function isNetworkError(error: unknown): boolean {
  if (typeof error === 'string') return /fetch failed|terminated|network/i.test(error);
  if (!(error instanceof Error)) return false;
  return error instanceof TypeError ? /fetch failed|terminated|network/i.test(error.message) : 'code' in error;
}

export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
