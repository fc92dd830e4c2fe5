/** How to go on with a run in a terminal: the end of a hint, which an editor with buttons for it leaves out. */
import { type ConfigKind, commandOfKind } from '../../protocol/config/index.ts';

/** @param more words of the command line, as they are */
export function resumeCommand(kind: ConfigKind, folder: string, ...more: string[]): string {
  return ['dmd', commandOfKind(kind), '--resume', folder, ...more].join(' ');
}

/** A hint up to the command line at its end: what to do, not what to type. */
export function withoutCommand(hint: string): string {
  return hint.replace(/: dmd [a-z-]+ --resume .*$/s, '.');
}
