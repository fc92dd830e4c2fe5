/** Which name of a model, file or folder stands at a place of a config. No `vscode` in here. */
import { getLocation } from 'jsonc-parser';
import { depthFault } from '../../backend/protocol/config/depth.ts';

/** Key -> what its text names: a model, images, files that end so, or a folder. */
const named: Readonly<Record<string, NameKind>> = {
  teacher: 'teacher',
  initial: 'teacher',
  'data.source': 'images',
  'regression.lpipsWeights': 'weights',
  'regression.vggWeights': 'weights',
  'regression.pairs.path': 'folder',
  out: 'folder',
};
export type NameKind = 'teacher' | 'images' | 'weights' | 'folder';

export interface NameAt {
  readonly kind: NameKind;
  /** What is typed up to the cursor, without quotes. */
  readonly typed: string;
  /** The value, with its quotes if it has them: what a choice is put in the place of. */
  readonly offset: number;
  readonly length: number;
}

/** Undefined where no such name belongs. */
export function nameAt(text: string, offset: number): NameAt | undefined {
  if (depthFault(text) !== undefined) return undefined;
  const { path, isAtPropertyKey, previousNode: node } = getLocation(text, offset);
  const kind = Object.hasOwn(named, path.join('.')) ? named[path.join('.')] : undefined;
  if (!kind || isAtPropertyKey) return undefined;
  const inside = node && node.type === 'string' && offset > node.offset && offset <= node.offset + node.length;
  if (!inside) return { kind, typed: '', offset, length: 0 };
  return { kind, typed: text.slice(node.offset + 1, offset), offset: node.offset, length: node.length };
}

const weights = /\.(safetensors|pkl|pt|pth|bin)$/i;
const fitting: Readonly<Record<NameKind, RegExp>> = { teacher: weights, weights, images: /\.zip$/i, folder: /^$/ };

/** Whether an entry of a folder can be meant, or lead to what is meant. */
export function fits(kind: NameKind, name: string, isFolder: boolean): boolean {
  return !name.startsWith('.') && (isFolder || fitting[kind].test(name));
}
