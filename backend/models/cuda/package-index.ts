/**
 * Python's package index, as pip asks it: the one that PIP_INDEX_URL or pip's own settings name, else pip's default, PyPI. Only names and
 * versions that are fixed here are asked for, and what comes is believed by its hash alone.
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import type { Wheel } from '../../engine/onnxruntime/cuda/wheels.ts';
import { readText } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { isNetworkError, reasonOf, stopped } from '../hub/client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The address under which the pages of packages lie, without a slash at its end. */
export function indexAddress(
  env: Environment = process.env,
  home = os.homedir(),
  usual: (env: Environment) => string = pipsOwn,
  machine = '/etc/pip.conf',
): string {
  const named = env.PIP_INDEX_URL?.trim() || [...settings(env, home), machine].map(indexOf).find(Boolean) || usual(env);
  if (!named) {
    const hint = 'Install Python with pip, set PIP_INDEX_URL to the index, or fetch from a folder: --from FOLDER.';
    throw new UserError('usage', 'no package index is known: neither settings of pip nor pip itself were found', hint);
  }
  if (URL.canParse(named) && /^https?:$/.test(new URL(named).protocol)) return named.replace(/\/+$/, '');
  const hint = 'Give PIP_INDEX_URL an address that begins with https, or fetch from a folder: --from FOLDER.';
  throw new UserError('usage', "pip's index is no web address", hint);
}

/** The index that pip is built with; '' where there is no pip. */
function pipsOwn(env: Environment): string {
  const ask = 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)';
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const { status, stdout } = spawnSync(python, ['-c', ask], { env, encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trim() : '';
}

/** Where a person's pip has settings, what counts first at the beginning. */
function settings(env: Environment, home: string): string[] {
  const { PIP_CONFIG_FILE: named, VIRTUAL_ENV: environment, XDG_CONFIG_HOME: config } = env;
  return [
    ...(named ? [named] : []),
    ...(environment ? [path.join(environment, 'pip.conf')] : []),
    path.join(config || path.join(home, '.config'), 'pip', 'pip.conf'),
    path.join(home, '.pip', 'pip.conf'),
  ];
}

/** `index-url` of the section for all commands. */
function indexOf(file: string): string {
  try {
    const [, section = ''] = /^\[global\]\s*$([^[]*)/m.exec(readText(file, 'config')) ?? [];
    return /^index-url\s*[=:]\s*(\S+)/m.exec(section)?.[1] ?? '';
  } catch {
    return '';
  }
}

export interface PackageIndex {
  /** The content of a wheel from byte `from` on. Throws UserError: 'io', 'cancelled'. */
  open(wheel: Wheel, from: number): Promise<AsyncIterable<Uint8Array>>;
}

export interface IndexOptions {
  readonly address?: string;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  /** What to do where the index cannot be reached. */
  readonly offlineHint: string;
}

export function openIndex({
  address = indexAddress(),
  fetch: own = fetch,
  signal,
  offlineHint,
}: IndexOptions): PackageIndex {
  const { username, password } = new URL(address);
  const base = withoutLogin(address);
  const login =
    username && Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');

  async function get(url: string, headers: Record<string, string>): Promise<Response> {
    // A login is for the index, not for whom it names.
    const ours: Record<string, string> =
      new URL(url).host === new URL(base).host && login ? { authorization: `Basic ${login}` } : {};
    const response = await own(url, { headers: { ...headers, ...ours }, ...(signal ? { signal } : {}) });
    if (response.ok && response.body) return response;
    const { host } = new URL(url);
    throw new UserError('io', `${host} answered ${response.status} for ${new URL(url).pathname}`, offlineHint);
  }

  async function addressOf({ name, file }: Wheel): Promise<string> {
    const page = await get(`${base}/${name}/`, { accept: `${jsonPage}, text/html;q=0.5` });
    const links = page.headers.get('content-type')?.includes('json')
      ? ((await page.json()) as { files: { url: string }[] }).files.map(({ url }) => url)
      : linksOf(await page.text());
    const found = links.map((link) => new URL(link, page.url || `${base}/${name}/`)).find(endsWith(file));
    if (found) return withoutLogin(found.href);
    throw new UserError('io', `the index ${base} has no ${file}`, offlineHint);
  }

  const worded = (error: unknown): unknown => {
    if (error instanceof Error && error.name === 'AbortError') return stopped();
    if (error instanceof UserError || !isNetworkError(error)) return error;
    const message = `the package index ${base} cannot be reached (${reasonOf(error)})`;
    return new UserError('io', message, offlineHint, { cause: error });
  };

  return {
    async open(wheel, from) {
      try {
        const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
        const response = await get(await addressOf(wheel), headers);
        // Who knows no ranges sends all of it.
        return pieces(response, response.status === 206 ? 0 : from, worded);
      } catch (error) {
        throw worded(error);
      }
    },
  };
}

const jsonPage = 'application/vnd.pypi.simple.v1+json';

async function* pieces(
  response: Response,
  skip: number,
  worded: (error: unknown) => unknown,
): AsyncIterable<Uint8Array> {
  let left = skip;
  try {
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      const rest = piece.subarray(Math.min(left, piece.length));
      left -= piece.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  } catch (error) {
    throw worded(error);
  }
}

const linksOf = (html: string): string[] =>
  Array.from(html.matchAll(/<a\s[^>]*href=["']([^"']+)["']/gi), ([, link]) => link!.replaceAll('&amp;', '&'));

const endsWith =
  (file: string) =>
  ({ pathname }: URL): boolean =>
    decodeURIComponent(pathname).split('/').at(-1) === file;

function withoutLogin(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url.href.replace(/\/+$/, '');
}
