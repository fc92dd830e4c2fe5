/** A package index in memory, with wheels that hold a few libraries; it can know ranges or not, break off, be away, or forge. */
import { createHash } from 'node:crypto';
import { strToU8, zipSync } from 'fflate';
import type { Wheel } from '../../../backend/engine/onnxruntime/cuda/wheels.ts';

export interface FakeWheel {
  readonly wheel: Wheel;
  readonly content: Buffer;
}

/** Noise does not pack: the wheel is about as long as its library. */
function noise(seed: number, length: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

export function fakeWheel(name: string, library: string, length = 50_000): FakeWheel {
  const content = Buffer.from(
    zipSync({
      [`nvidia/cu13/lib/${library}`]: noise(name.length, length),
      'nvidia/cu13/include/cuda.h': strToU8('not taken'),
      [`${name}.dist-info/licenses/License.txt`]: strToU8(`terms of ${name}`),
    }),
  );
  const wheel: Wheel = {
    ...{ name, version: '1.0', file: `${name.replaceAll('-', '_')}-1.0-py3-none-any.whl`, bytes: content.length },
    ...{ sha256: createHash('sha256').update(content).digest('hex'), licence: 'as it says' },
    takes: /^nvidia\/cu13\/lib\/lib[\w-]+\.so\.\d+$|License\.txt$/,
  };
  return { wheel, content };
}

export class FakeIndex {
  readonly address = 'https://index.invalid/simple';
  /** Every request: path, and the Range header where there was one. */
  readonly asked: string[] = [];
  readonly logins: (string | null)[] = [];
  /** Bytes after which the connection breaks, once. */
  breakAfter: number | null = null;
  knowsRanges = true;
  page: 'json' | 'html' = 'json';
  offline = false;
  forged = false;
  readonly #wheels: readonly FakeWheel[];

  constructor(wheels: readonly FakeWheel[]) {
    this.#wheels = wheels;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const range = request.headers.get('range');
    this.asked.push(range ? `${pathname} ${range}` : pathname);
    this.logins.push(request.headers.get('authorization'));
    request.signal.throwIfAborted();
    if (this.offline) {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }) });
    }
    const listed = this.#wheels.find(({ wheel }) => pathname === `/simple/${wheel.name}/`);
    if (listed) return this.#listing(listed.wheel);
    const asked = this.#wheels.find(({ wheel }) => pathname === `/files/${wheel.file}`);
    return asked ? this.#content(asked, range) : new Response('', { status: 404 });
  };

  #listing({ file, name }: Wheel): Response {
    const urls = [`../../files/${name}-0.9.whl`, `https://files.invalid/files/${file}`];
    if (this.page === 'json') {
      const body = JSON.stringify({ files: urls.map((url) => ({ url })) });
      return new Response(body, { headers: { 'content-type': 'application/vnd.pypi.simple.v1+json' } });
    }
    const links = urls.map((url) => `<a data-x="1" href="${url}#sha256=00">x</a>`).join('\n');
    return new Response(`<html>${links}</html>`, { headers: { 'content-type': 'text/html' } });
  }

  #content({ content }: FakeWheel, range: string | null): Response {
    const from = this.knowsRanges ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
    const bytes = Uint8Array.from(content.subarray(from));
    if (this.forged) bytes[bytes.length - 1]! ^= 1;
    const { breakAfter } = this;
    this.breakAfter = null;
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < (breakAfter ?? bytes.length); at += 4096) {
          controller.enqueue(bytes.subarray(at, Math.min(at + 4096, breakAfter ?? bytes.length)));
        }
        if (breakAfter === null) controller.close();
      },
      pull: (controller) => controller.error(new TypeError('terminated')),
    });
    return new Response(body, { status: range && this.knowsRanges ? 206 : 200 });
  }
}
