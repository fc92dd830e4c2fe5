/** Names of new files. No `vscode` in here. */

/** `name.dmd.json`, or `name-2.dmd.json` and so on when that is taken (in any case, as on Windows). */
export function freeName(name: string, taken: readonly string[]): string {
  const lower = new Set(taken.map((other) => other.toLowerCase()));
  for (let attempt = 1; ; attempt++) {
    const file = `${attempt === 1 ? name : `${name}-${attempt}`}.dmd.json`;
    if (!lower.has(file.toLowerCase())) return file;
  }
}
