/**
 * Paths as people write them where no shell reads them: `~`, `$HOME` and VS Code's `${userHome}` stand for the home folder,
 * `file:///...` is what an editor copies. What would need a shell or an editor to mean something is refused by its name, or a
 * folder called `~` or `$SCRATCH` would be made.
 */

const home = /^(~|\$HOME|\$\{HOME\}|\$\{userHome\}|\$\{env:HOME\}|%USERPROFILE%|\$\{env:USERPROFILE\})(?=[\\/]|$)/;
const fileUrl = /^file:\/+/i;
/** What a shell or an editor replaces: whole parts of a path, and within them what nobody calls a file. */
const standIn =
  /\$\{[^}]*\}?|\$\([^)]*\)?|`[^`]*`|(?<=^|[\\/])(\$[A-Za-z_]\w*|%[A-Za-z_]\w*%)(?=[\\/]|$)|\$[A-Z_][A-Z\d_]+|%[A-Z_][A-Z\d_]+%/;

/** What is wrong with a text as a path, with what to do; '' for a path, and for a name such as `builtin:scenes`. */
export function pathProblem(text: string): string {
  if (fileUrl.test(text)) return pathOfUrl(text) === null ? `${text} is no address of a file here; write its path` : '';
  const [scheme] = /^[a-z][a-z\d+.-]+:\/\//i.exec(text) ?? [];
  if (scheme) return `${text} is an address (${scheme}), not a path; download it first and name the file`;
  const rest = text.replace(home, '');
  const [user] = /^~[^\\/]+/.exec(rest) ?? [];
  if (user) return `${text}: nobody knows ${user} here; write the whole path, or ./${text} for a file of that name`;
  const [named] = standIn.exec(rest) ?? [];
  if (named === undefined) return '';
  return `${text}: nobody replaces ${named} here; write the path itself, absolute or relative`;
}

/**
 * The path that a text without a problem means.
 * @param homeFolder absolute
 */
export function expandPath(text: string, homeFolder: string): string {
  return fileUrl.test(text) ? (pathOfUrl(text) ?? text) : text.replace(home, () => homeFolder);
}

/** Null for another machine's file, and for what no path can hold. */
function pathOfUrl(text: string): string | null {
  try {
    const { hostname, pathname, search, hash } = new URL(text);
    if ((hostname !== '' && hostname !== 'localhost') || search !== '' || hash !== '') return null;
    if (/%2f|%5c|%00/i.test(pathname)) return null;
    // On Windows it begins with a drive: /C:/.
    return decodeURIComponent(pathname).replace(/^\/(?=[A-Za-z]:)/, '');
  } catch {
    return null;
  }
}
