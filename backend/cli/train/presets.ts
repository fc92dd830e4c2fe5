/** Configs that come with the package, by name. */
import { join } from 'node:path';
import { type ConfigKind, nearest } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { packageRoot } from '../../runs/package.ts';

/** scenes made the built-in models; the others hold the paper's settings. */
const presets: Readonly<Record<ConfigKind, Readonly<Record<string, string>>>> = {
  distill: {
    scenes: 'media/scenes/generator.dmd.json',
    cifar10: 'media/presets/cifar10.dmd.json',
    'cifar10-unconditional': 'media/presets/cifar10-unconditional.dmd.json',
    imagenet64: 'media/presets/imagenet64.dmd.json',
  },
  teach: { scenes: 'media/scenes/teacher.dmd.json' },
};

export function presetNames(kind: ConfigKind): string[] {
  return Object.keys(presets[kind]);
}

/** The preset's file. Throws UserError('usage') for an unknown name. */
export function presetFile(kind: ConfigKind, name: string): string {
  const names = presetNames(kind);
  if (names.includes(name)) return join(packageRoot(), presets[kind][name]);
  const meant = nearest(name, names);
  const hint = meant ? `Did you mean ${meant}?` : `Presets are ${names.join(', ')}.`;
  throw new UserError('usage', `there is no preset '${name}' of dmd ${kind}`, hint);
}
