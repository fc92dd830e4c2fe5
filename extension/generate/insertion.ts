/** A picture in a Markdown or HTML file: the text that shows it, and where its file goes. Knows no `vscode`. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Seed } from '../../backend/protocol/seed.ts';
import { l10n } from '../l10n.ts';
import { settingPath } from '../setting-path.ts';

export const insertableLanguages = ['markdown', 'html'] as const;
export type InsertableLanguage = (typeof insertableLanguages)[number];

export function isInsertable(languageId: string): languageId is InsertableLanguage {
  return insertableLanguages.some((language) => language === languageId);
}

export interface Picture {
  /** Relative to the document, with / on every system. */
  readonly path: string;
  /** Says what it shows. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
}

export function pictureMarkup(language: InsertableLanguage, { path, description, width, height }: Picture): string {
  // No path can end the link or the attribute that it stands in.
  const link = path.split('/').map(encodeURIComponent).join('/').replace(/[()']/g, percent);
  if (language === 'markdown') return `![${description.replace(/[\\[\]]/g, '\\$&').replace(/\s+/g, ' ')}](${link})`;
  return `<img src="${link}" alt="${escapeHtml(description)}" width="${width}" height="${height}">`;
}

/**
 * The folder for a document's pictures.
 * @param named the setting: a path relative to the document
 * @param root the workspace folder that it must not leave, also not through links; null: the document's own folder
 * @throws UserError('config') that names the setting
 */
export function pictureFolder(document: string, named: string, root: string | null): string {
  const setting = l10n.t('The setting {0}', 'dmd.images.folder');
  const own = dirname(document);
  const name = settingPath('dmd.images.folder', named.trim(), root);
  if (isAbsolute(name) && !/^\$\{workspaceFolder\}/.test(named.trim()))
    throw new UserError('config', l10n.t('{0} is absolute: {1}', setting, name), l10n.t('Give a relative folder.'));
  const folder = resolve(own, name);
  const within = root ?? own;
  if (isInside(folder, within) && isInside(realPath(folder), realPath(within))) return folder;
  const message = l10n.t('{0} leads out of {1}: {2}', setting, within, name);
  throw new UserError('config', message, l10n.t('Name a folder inside, such as images.'));
}

/** `name.png` in the folder, or `name-2.png` and so on where that is taken. */
export function unusedFile(folder: string, name: string): string {
  for (let n = 1; ; n++) {
    const file = join(folder, n === 1 ? `${name}.png` : `${name}-${n}.png`);
    if (!existsSync(file)) return file;
  }
}

/** As `pictureMarkup` takes it. */
export function linkPath(document: string, file: string): string {
  return relative(dirname(document), file).split(sep).join('/');
}

export interface Named {
  /** `builtin:scenes`, or a path of either system. */
  readonly model: string;
  readonly className: string;
  readonly seed: Seed;
}

/** A file name without its ending: `scenes-star-seed42`. */
export function pictureName({ model, className, seed }: Named): string {
  const last = model
    .replace(/^builtin:/, '')
    .split(/[\\/]/)
    .slice(-2);
  const base = last.join('-').replace(/\.(safetensors|onnx|pkl|pt|pth|bin)$/, '');
  const parts = [base, className, `seed${seed}`].map((part) => part.replace(/[^\p{L}\p{N}_.]+/gu, '-'));
  const name = parts.map((part) => part.replace(/^[-.]+|[-.]+$/g, '')).filter(Boolean);
  return name.join('-').slice(-120);
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** With links followed as far as the path exists. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), relative(parent, path));
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]!);
}
