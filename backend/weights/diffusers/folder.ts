/**
 * A diffusers folder: model_index.json says which components there are and which class each is; every component is a
 * folder with a config.json and weights. `dmd.json`, this program's own, says what a one-step generator needs beyond
 * that, and may name a `base`: the folder that has every component which this one lacks (a student differs from its
 * teacher in the UNet alone). Nothing is loaded here.
 */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { modelFile } from './contained.ts';
import { type JsonObject, readJsonObject } from './json-file.ts';

export interface ComponentClass {
  /** 'diffusers', 'transformers', ... */
  readonly library: string;
  readonly className: string;
}

export interface DiffusersFolder {
  /** Absolute. */
  readonly path: string;
  /** E.g. StableDiffusionPipeline. */
  readonly pipeline: string;
  /** Components that the index names, without those it sets to null. */
  readonly components: ReadonlyMap<string, ComponentClass>;
  /** What `dmd.json` says, {} without one. */
  readonly dmd: JsonObject;
  readonly base: DiffusersFolder | null;
}

export const indexFile = 'model_index.json';
export const dmdFile = 'dmd.json';

/** Whether a path is a folder that `openDiffusersFolder` takes. */
export function isDiffusersFolder(folder: string): boolean {
  return [indexFile, dmdFile].some((name) => fs.existsSync(path.join(folder, name)));
}

/** Throws UserError('weights') when it is no model folder, or its index is damaged. */
export function openDiffusersFolder(folder: string): DiffusersFolder {
  return open(path.resolve(folder), true);
}

function open(folder: string, mayHaveBase: boolean): DiffusersFolder {
  refuseOtherThanFolder(folder);
  const dmdPath = modelFile(folder, dmdFile);
  const dmd = dmdPath === undefined ? {} : readJsonObject(dmdPath);
  const base = baseOf(folder, dmd, mayHaveBase);
  const indexPath = modelFile(folder, indexFile);
  if (indexPath === undefined) {
    if (base) return { ...base, path: folder, dmd, base };
    throw new UserError('weights', `${folder} is not a model folder: it has no ${indexFile}`, whatItIs(folder));
  }
  const { _class_name: pipeline, ...rest } = readJsonObject(indexPath);
  if (typeof pipeline !== 'string') {
    throw new UserError('weights', `${indexPath} names no pipeline (_class_name)`, 'Fetch the folder again.');
  }
  return { path: folder, pipeline, components: componentsOf(rest, indexPath), dmd, base };
}

/** Entries `"unet": ["diffusers", "UNet2DConditionModel"]`; others are settings of the pipeline. */
function componentsOf(index: JsonObject, file: string): Map<string, ComponentClass> {
  const components = new Map<string, ComponentClass>();
  for (const [name, value] of Object.entries(index)) {
    if (!Array.isArray(value)) continue;
    const [library, className] = value as unknown[];
    if (library === null || className === null) continue;
    if (typeof library !== 'string' || typeof className !== 'string') {
      throw new UserError('weights', `${file}: '${name}' must be a library and a class`, 'Fetch the folder again.');
    }
    components.set(name, { library, className });
  }
  return components;
}

function baseOf(folder: string, { base }: JsonObject, mayHaveBase: boolean): DiffusersFolder | null {
  if (base === undefined) return null;
  const file = path.join(folder, dmdFile);
  if (typeof base !== 'string' || base === '' || base.includes('\0')) {
    throw new UserError('weights', `${file}: 'base' must be the path of a model folder`, 'Import the model again.');
  }
  if (!mayHaveBase) {
    throw new UserError(
      'weights',
      `${folder} is the base of another model and has one itself`,
      'Import from the base.',
    );
  }
  try {
    return open(path.resolve(folder, base), false);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const message = `the base model of ${folder} cannot be opened: ${error.message}`;
    throw new UserError('weights', message, `Put it there again, or change 'base' in ${file}.`, { cause: error });
  }
}

function refuseOtherThanFolder(folder: string): void {
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  if (!stat) throw new UserError('weights', `${folder}: no such folder`, 'Check the path.');
  if (stat.isDirectory()) return;
  throw new UserError('weights', `${folder} is a file, not a model folder`, 'Name the folder with model_index.json.');
}

/** The next step for somebody who named a folder that is not one of ours. */
function whatItIs(folder: string): string {
  const names = fs.readdirSync(folder);
  if (names.includes('snapshots'))
    return 'This is a repository in the hub cache: name one of the folders in snapshots/.';
  if (names.includes('config.json')) return 'This is a single component: name the folder above it.';
  const one = names.find((name) => fs.existsSync(path.join(folder, name, indexFile)));
  if (one !== undefined) return `There is one inside: ${path.join(folder, one)}.`;
  if (names.some((name) => /\.(safetensors|bin|ckpt)$/.test(name))) {
    return 'It holds weights alone: dmd import makes a model of a base folder and a UNet file.';
  }
  return 'Name a diffusers folder, such as a download of a Stable Diffusion model.';
}
