/**
 * Configs that come with the package, by name: those that made the built-in models, the paper's settings, and the paper's
 * ablations (Table 2) for the built-in teacher. A preset is a file, some with a few values replaced.
 */
import path from 'node:path';
import { applyEdits, modify } from 'jsonc-parser';
import { onDisk } from '../files/disk.ts';
import { packageRoot } from '../files/package.ts';
import { readText } from '../files/regular.ts';
import { type Config, type ConfigKind, commandOfKind, nearest } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { configFromText } from './config-file.ts';
import { distillPresets } from './presets/distill.ts';
import type { Preset, Source } from './presets/source.ts';
import { teachPresets } from './presets/teach.ts';

export type { Preset, PresetTeacher } from './presets/source.ts';

const sources: readonly Source[] = [...distillPresets, ...teachPresets];

export const presets: readonly Preset[] = sources;

/** Of all kinds that the kind's command takes, in which every name is there once. */
export function presetNames(kind: ConfigKind): string[] {
  return sources.filter((source) => commandOfKind(source.kind) === commandOfKind(kind)).map(({ name }) => name);
}

/** The preset as the text of a new config, comments included. Throws UserError('usage') for an unknown name. */
export function presetText(kind: ConfigKind, name: string): string {
  const { file, set, detail } = find(kind, name);
  const source = path.join(packageRoot(), 'media', file);
  const text = onDisk('read', source, () => readText(source, 'config'));
  return set === undefined ? text : withComment(replaced(text, set), detail);
}

/**
 * @param base folder that the preset's own relative paths are taken from, such as that of a teacher to be downloaded
 * @throws UserError('usage') for an unknown name
 */
export function presetConfig(kind: ConfigKind, name: string, base: string): Config {
  return configFromText(presetText(kind, name), path.join(base, `${name}.dmd.json`));
}

function find(kind: ConfigKind, name: string): Source {
  const command = commandOfKind(kind);
  const found = sources.find((source) => commandOfKind(source.kind) === command && source.name === name);
  if (found) return found;
  const names = presetNames(kind);
  const meant = nearest(name, names);
  const hint = meant ? `Did you mean ${meant}?` : `Presets are ${names.join(', ')}.`;
  throw new UserError('usage', `there is no preset '${name}' of dmd ${command}`, hint);
}

function replaced(text: string, set: Readonly<Record<string, unknown>>): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  return Object.entries(set).reduce(
    (before, [key, value]) => applyEdits(before, modify(before, key.split('.'), value, { formattingOptions })),
    text,
  );
}

/** The file's own comment speaks of another config: the first one inside the braces says what this one is. */
function withComment(text: string, detail: string): string {
  const body = text.replace(/^(?:\s*\/\/.*\n)*\{\n(?:\s*\/\/.*\n)*/, '');
  const lines = detail.match(/\S.{0,99}(?=\s|$)/g) ?? [];
  return `{\n${lines.map((line) => `  // ${line}\n`).join('')}${body}`;
}
