/** Which files are run configs, and what their names say. No `vscode` in here. */

/** For what the editor registers by file: on disk, and new ones that are not saved yet. */
export const configSelector = [
  { scheme: 'file', pattern: '**/*.dmd.json' },
  { scheme: 'untitled', pattern: '**/*.dmd.json' },
] as const;

/** @param uri of a document */
export function isConfig(uri: { readonly scheme: string; readonly path: string }): boolean {
  return configSelector.some(({ scheme }) => scheme === uri.scheme) && uri.path.endsWith('.dmd.json');
}

/** What a run is called whose config does not say it. */
export function nameFromFile(path: string): string {
  return path.replace(/^.*[\\/]/, '').replace(/(\.dmd)?\.jsonc?$/, '');
}
