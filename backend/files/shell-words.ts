/** Words as they are typed into a terminal. */

/** A command line for this machine's usual shell. */
export function shellLine(words: readonly string[], platform: NodeJS.Platform = process.platform): string {
  return words.map(platform === 'win32' ? quotePowerShell : quotePosix).join(' ');
}

/** One word of a POSIX shell. Within single quotes nothing has a meaning but the quote itself. */
export function quotePosix(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** One word of PowerShell, which also takes typographic quotes for quotes; two of them are one. */
export function quotePowerShell(word: string): string {
  return `'${word.replace(/['\u2018\u2019\u201A\u201B]/g, '$&$&')}'`;
}
