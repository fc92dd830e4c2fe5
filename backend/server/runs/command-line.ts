/** The command line that does what a run did, for a terminal. */
import { type ConfigKind, commandOfKind } from '../../protocol/config/index.ts';

export interface CommandParts {
  /** The Node program and dist/dmd.js. */
  readonly node: string;
  readonly program: string;
  readonly kind: ConfigKind;
  readonly config: string;
  /** Folder in which the run folder is made. */
  readonly out: string;
  /** The Node is an editor's, which is one only when told. */
  readonly electron: boolean;
}

export function commandOf(parts: CommandParts, platform: NodeJS.Platform = process.platform): string {
  const { node, program, kind, config, out, electron } = parts;
  const windows = platform === 'win32';
  const quote = windows ? quotePowerShell : quotePosix;
  const words = [node, program, commandOfKind(kind), config, '--out', out].map(quote).join(' ');
  if (windows) return `${electron ? "$env:ELECTRON_RUN_AS_NODE='1'; " : ''}& ${words}`;
  return `${electron ? 'ELECTRON_RUN_AS_NODE=1 ' : ''}${words}`;
}

/** One word of a POSIX shell. Within single quotes nothing has a meaning but the quote itself. */
export function quotePosix(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** One word of PowerShell, which also takes typographic quotes for quotes; two of them are one. */
export function quotePowerShell(word: string): string {
  return `'${word.replace(/['\u2018\u2019\u201A\u201B]/g, '$&$&')}'`;
}
