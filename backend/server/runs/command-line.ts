/** The command line that does what a run did, for a terminal. */
import { shellLine } from '../../files/shell-words.ts';
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
  const words = shellLine([node, program, commandOfKind(kind), config, '--out', out], platform);
  if (windows) return `${electron ? "$env:ELECTRON_RUN_AS_NODE='1'; " : ''}& ${words}`;
  return `${electron ? 'ELECTRON_RUN_AS_NODE=1 ' : ''}${words}`;
}
