/**
 * The address of an algorithm's listing with one config's values. It follows from the config's file alone, so that breakpoints can
 * be set, and kept, while nothing runs: `dmd-listing:/folder/mine.dmd` is the listing of `/folder/mine.dmd.json`.
 */
export const listingScheme = 'dmd-listing';

const config = /\.dmd\.json$/i;
const otherConfig = /\.jsonc?$/i;

/** @param file absolute path of a config, of any system */
export function listingUri(file: string): string {
  const slashes = file.replaceAll('\\', '/');
  const path = config.test(slashes) ? slashes.replace(/\.json$/i, '') : `${slashes}.dmd`;
  return `${listingScheme}:${encoded(path.startsWith('/') ? path : `/${path}`)}`;
}

/** The config's file; undefined for an address that is none of these. */
export function configOfListing(uri: string): string | undefined {
  if (!uri.startsWith(`${listingScheme}:/`)) return undefined;
  const [path = ''] = uri.slice(listingScheme.length + 1).split(/[?#]/);
  const decoded = decode(path);
  if (!decoded?.endsWith('.dmd')) return undefined;
  const file = /^\/[a-z]:\//i.test(decoded) ? decoded.slice(1).replaceAll('/', '\\') : decoded;
  const whole = file.slice(0, -'.dmd'.length);
  return otherConfig.test(whole) && !config.test(whole) ? whole : `${file}.json`;
}

/** Whether both are listings of one config: editors differ in what they escape, and in the case of a drive's letter. */
export function sameListing(a: string, b: string): boolean {
  const [one, other] = [configOfListing(a), configOfListing(b)];
  return one !== undefined && drive(one) === drive(other ?? '');
}

const encoded = (path: string) => path.split('/').map(encodeURIComponent).join('/');
const drive = (file: string) => file.replace(/^[a-z]:/, (letter) => letter.toUpperCase());

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
