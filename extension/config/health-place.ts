/** Where in a config an alarm of its last run is marked, and which run that is by name. No `vscode` in here. */
import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { depthFault } from '../../backend/protocol/config/depth.ts';

/**
 * Rule -> the keys that it concerns, the likeliest first. Rules themselves know no config: they read recorded numbers, and this
 * only says where a person would change something.
 */
export const concernedKeys: Readonly<Record<string, readonly string[]>> = {
  diverging: ['generator.lr', 'fake.lr'],
  collapse: ['regression.enabled', 'regression.lambda', 'generator.lr'],
  'dead-gradient': ['fake.lr'],
  'gradient-scale': ['matching.weight'],
  'noise-levels': ['matching.levels'],
  'fake-score-lags': ['fake.updatesPerStep', 'fake.lr'],
  'fake-score-oscillates': ['fake.lr'],
  'discriminator-wins': ['discriminator.lr', 'gan.r1', 'data.source'],
  'residuals-apart': ['regression.enabled', 'regression.lambda', 'generator.lr'],
  saturation: ['generator.lr'],
  'past-peak': ['iterations', 'generator.lr'],
  'optimizer-state': [],
  'batch-too-small': ['batch', 'accumulation'],
};

export interface Place {
  /** Characters from the start of the text. */
  readonly offset: number;
  readonly length: number;
}

/** The first of the rule's keys that is written down, else the section that it would be in, else `kind`, else the beginning. */
export function placeOf(text: string, rule: string): Place {
  const root = rootOf(text);
  const keys = (concernedKeys[rule] ?? []).map((key) => key.split('.'));
  const sections = keys.flatMap((path) => (path.length > 1 ? [path.slice(0, -1)] : []));
  for (const path of [...keys, ...sections, ['kind']]) {
    const value = root && findNodeAtLocation(root, path);
    const key = value?.parent?.children?.[0];
    if (key) return { offset: key.offset, length: key.length };
  }
  return { offset: 0, length: Math.min(1, text.length) };
}

/** What a run of this config would be called, as far as the text can be read. */
export function identityOf(text: string): { readonly name: string | null; readonly kind: string | null } {
  const root = rootOf(text);
  const word = (key: string) => {
    const value: unknown = root && findNodeAtLocation(root, [key])?.value;
    return typeof value === 'string' ? value : null;
  };
  return { name: word('name'), kind: word('kind') };
}

function rootOf(text: string): Node | undefined {
  return depthFault(text) === undefined ? parseTree(text) : undefined;
}
