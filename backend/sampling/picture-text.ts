/**
 * The text chunks of a picture: what made it, for people and other programs under one key each, and all settings as JSON
 * under `dmd.settings`, so that it can be made again. What is read may come from anywhere: it is checked, never trusted.
 */

import { readPngText } from '../data/png-text.ts';
import { packageVersion } from '../files/package.ts';
import { safeParse } from '../protocol/config/safe-parse.ts';
import { parseJson } from '../protocol/json.ts';
import { type ForeignPicture, type GenerateSettings, generateSettingsSchema } from '../protocol/rpc/images.ts';
import { parseSeed, type Seed } from '../protocol/seed.ts';
import { readForeignPicture } from './foreign-picture.ts';

/** What all pictures of one batch share. */
export interface PictureMaker {
  /** A `builtin:` name, or an absolute path. */
  readonly model: string;
  readonly sha256: string;
  readonly role: string;
  readonly steps: number;
  /** For more than one step: the sampler's name and the options that were set. */
  readonly sampler: Readonly<Record<string, unknown>>;
  /** Noise level that sampling starts from; null for models that count in timesteps. */
  readonly sigma: number | null;
  readonly device: string;
  /** The name of the run's folder, and what the model file says about its making. */
  readonly run: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What only one picture has. */
export interface PictureFacts {
  readonly seed: Seed;
  readonly class: number | null;
  /** '' for a class without a name. */
  readonly className: string;
  /** Null where they cannot say it all, such as options of a sampler. */
  readonly settings: GenerateSettings | null;
}

export function makerText(maker: PictureMaker): Record<string, string> {
  const { metadata } = maker;
  return {
    Software: `DMD Workbench ${packageVersion()}`,
    'dmd.model': maker.model,
    'dmd.sha256': maker.sha256,
    'dmd.role': maker.role,
    'dmd.steps': String(maker.steps),
    ...(maker.steps > 1 ? { 'dmd.sampler': JSON.stringify(maker.sampler) } : {}),
    ...(maker.sigma === null ? {} : { 'dmd.sigma': String(maker.sigma) }),
    'dmd.device': maker.device,
    ...(maker.run === null ? {} : { 'dmd.run': maker.run }),
    ...(metadata['dmd.step'] === undefined ? {} : { 'dmd.step': metadata['dmd.step'] }),
    ...(metadata['dmd.teacher'] === undefined ? {} : { 'dmd.teacher': metadata['dmd.teacher'] }),
  };
}

export function pictureText(maker: PictureMaker, facts: PictureFacts): Record<string, string> {
  return {
    ...makerText(maker),
    'dmd.seed': String(facts.seed),
    ...(facts.class === null ? {} : { 'dmd.class': String(facts.class) }),
    ...(facts.className === '' ? {} : { 'dmd.className': facts.className }),
    ...(facts.settings ? { [settingsKey]: JSON.stringify(facts.settings) } : {}),
  };
}

const settingsKey = 'dmd.settings';
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** A picture of this program is far smaller, and so is its text. */
const largestPicture = 64 * 2 ** 20;
const largestText = 2 ** 16;

export interface PictureSettings {
  readonly settings: GenerateSettings;
  /** The chunks of this program, by key. */
  readonly text: Record<string, string>;
}

/** Null for a picture that carries no settings of this program, whatever else the bytes are. */
export function readPictureSettings(png: Uint8Array): PictureSettings | null {
  const ours = Object.entries(textOf(png)).filter(
    ([key, value]) => (key === 'Software' || /^dmd\.\w+$/.test(key)) && value.length <= largestText,
  );
  const text = Object.fromEntries(ours);
  const settings = Object.hasOwn(text, settingsKey) ? parseSettings(text[settingsKey]) : settingsFromText(text);
  return settings && { settings, text };
}

/** Of a picture without such settings. */
export function readForeignSettings(png: Uint8Array): ForeignPicture | null {
  return readForeignPicture(textOf(png));
}

function textOf(png: Uint8Array): Record<string, string> {
  if (png.length > largestPicture || signature.some((byte, i) => png[i] !== byte)) return {};
  return readPngText(png);
}

function parseSettings(json: string): GenerateSettings | null {
  try {
    return checked(parseJson(json));
  } catch {
    return null;
  }
}

/** Earlier pictures of `dmd sample` say the same in separate keys; their sampler must be the one that generating uses. */
function settingsFromText(text: Record<string, string>): GenerateSettings | null {
  const { 'dmd.model': model, 'dmd.seed': seed, 'dmd.class': id, 'dmd.steps': steps } = text;
  const sampler = text['dmd.sampler'];
  const known = parseSeed(seed ?? '');
  if (model === undefined || known === null || !isWhole(steps)) return null;
  // A picture of a prompt says all or nothing.
  if (text['dmd.prompt'] !== undefined) return null;
  if (sampler !== undefined && sampler !== JSON.stringify({ name: 'edm' })) return null;
  const classes = isWhole(id) ? [Number(id)] : null;
  return checked({ model, seeds: [known], classes, prompt: null, steps: Number(steps), device: 'auto' });
}

function isWhole(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

function checked(value: unknown): GenerateSettings | null {
  const result = safeParse(generateSettingsSchema, value);
  return result.success ? result.data : null;
}
