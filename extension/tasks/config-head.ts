/** What a task has to know of a config before it can be run. No `vscode` in here. */
import { readTextAside } from '../../backend/files/regular.ts';
import { type ConfigKind, configKinds, readRoughly } from '../../backend/protocol/config/index.ts';

export interface ConfigHead {
  readonly kind: ConfigKind;
  /** Whether the config names the folder that run folders are made in. */
  readonly hasOut: boolean;
}

/** Of a file that cannot be read, or has mistakes: what it most likely means. The run itself says what is wrong. */
export async function configHead(file: string): Promise<ConfigHead> {
  const text = await readTextAside(file, 'config').catch(() => '');
  const value: unknown = readRoughly(text);
  const { kind, out } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return { kind: configKinds.find((known) => known === kind) ?? 'distill', hasOut: typeof out === 'string' };
}
