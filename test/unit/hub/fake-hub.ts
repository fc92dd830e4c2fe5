/** A hub that answers from memory: the few addresses that a download asks, with ranges, links of pages, and faults. */
import { createHash } from 'node:crypto';

export interface FakeFile {
  readonly content: Buffer;
  /** Large files are listed with their SHA-256. */
  readonly large?: boolean;
}

export interface FakeHub {
  readonly fetch: typeof fetch;
  /** Every request: path, and the Range header where there was one. */
  readonly asked: string[];
  /** Bytes after which the connection breaks, once. */
  breakAfter: number | null;
  /** Answered instead of anything else. */
  status: number | null;
  offline: boolean;
  /** Bytes sent in place of a file's own. */
  readonly forged: Map<string, Buffer>;
  readonly tokens: (string | null)[];
}

export const commit = '0123456789abcdef0123456789abcdef01234567';

export function fakeHub(repository: string, files: ReadonlyMap<string, FakeFile>): FakeHub {
  const hub: FakeHub = {
    ...{ asked: [], breakAfter: null, status: null, offline: false, forged: new Map(), tokens: [] },
    fetch: async (input, init) => answer(new Request(input, init)),
  };
  return hub;

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const range = request.headers.get('range');
    hub.asked.push(range ? `${url.pathname} ${range}` : url.pathname);
    hub.tokens.push(request.headers.get('authorization'));
    if (hub.offline) {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }) });
    }
    if (hub.status !== null) return json({ error: 'no' }, hub.status);
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith(`/api/models/${repository}/revision/`)) return json({ id: repository, _id: '1', sha: commit });
    if (path.startsWith(`/api/models/${repository}/tree/${commit}`)) return listing(url);
    const prefix = `/${repository}/resolve/${commit}/`;
    const name = path.startsWith(prefix) ? path.slice(prefix.length) : '';
    const file = files.get(name);
    return file ? content(name, file, range) : json({ error: 'not found' }, 404);
  }

  /** Two pages. */
  function listing(url: URL): Response {
    const all = Array.from(files, ([path, { content: bytes, large }]) => {
      const lfs = large ? { lfs: { oid: hashOf('sha256', bytes), size: bytes.length, pointerSize: 130 } } : {};
      return { type: 'file', path, size: bytes.length, oid: gitHash(bytes), ...lfs };
    });
    const half = Math.ceil(all.length / 2);
    if (url.searchParams.has('cursor')) return json(all.slice(half));
    const next = new URL(url);
    next.searchParams.set('cursor', '1');
    const folder = { type: 'directory', path: 'unet', size: 0, oid: '' };
    return json([folder, ...all.slice(0, half)], 200, { link: `<${next.href}>; rel="next"` });
  }

  function content(name: string, { content: own }: FakeFile, range: string | null): Response {
    const bytes = hub.forged.get(name) ?? own;
    const [, from = '0', to = String(bytes.length - 1)] = range?.match(/bytes=(\d+)-(\d+)/) ?? [];
    const part = bytes.subarray(Number(from), Number(to) + 1);
    const headers = {
      etag: `"${gitHash(own)}"`,
      'content-range': `bytes ${from}-${to}/${bytes.length}`,
      'content-length': String(part.length),
    };
    return new Response(broken(part), { status: range ? 206 : 200, headers });
  }

  function broken(part: Buffer): Uint8Array<ArrayBuffer> | ReadableStream {
    const { breakAfter } = hub;
    if (breakAfter === null || part.length <= breakAfter) return Uint8Array.from(part);
    hub.breakAfter = null;
    return new ReadableStream({
      start: (controller) => controller.enqueue(Uint8Array.from(part.subarray(0, breakAfter))),
      pull: (controller) => controller.error(new TypeError('terminated')),
    });
  }
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json', ...headers } });
}

export const hashOf = (kind: string, bytes: Buffer) => createHash(kind).update(bytes).digest('hex');
export const gitHash = (bytes: Buffer) => hashOf('sha1', Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]));
