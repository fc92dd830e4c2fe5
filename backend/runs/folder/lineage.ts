/**
 * Where a model comes from: the run beside the file, its teacher, and whether all of it goes back to the built-in scenes,
 * whose classes have names.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import { hashOf } from '../../data/pair-shard.ts';
import { shapes } from '../../data/scenes/shapes.ts';
import { builtinModels, modelPath } from '../../models/model-file.ts';
import type { Config } from '../../protocol/config/index.ts';
import { readConfig, runPaths } from './run-folder.ts';

export interface Lineage {
  /** The run whose output the file is. */
  readonly run: string | null;
  /** A `builtin:` name or a path; null where it is not known or not here. */
  readonly teacher: string | null;
  readonly scenes: boolean;
}

/** What runs leave: files, and folders of text-to-image models. */
export const runOutputs = ['generator.safetensors', 'teacher.safetensors', 'generator', 'teacher'];
const builtinTeacher = 'builtin:scenes/teacher';
/** Runs that taught runs that taught runs: enough. */
const deepest = 8;

/** @param name as `openModel` takes it */
export async function lineageOf(name: string, metadata: Readonly<Record<string, string>>, depth = 0): Promise<Lineage> {
  const path = modelPath(name);
  if (isBuiltin(path)) {
    return { run: null, teacher: path === modelPath(builtinTeacher) ? null : builtinTeacher, scenes: true };
  }
  const run = runOf(path);
  const config = run === null ? null : configOf(run);
  if (config?.kind === 'teach') return { run, teacher: null, scenes: config.data.source === 'scenes' };
  if (config?.kind === 'distill') {
    const teacher = config.teacher === 'builtin:scenes' ? builtinTeacher : config.teacher;
    const known = teacher.startsWith('builtin:') || existsSync(teacher);
    const scenes = known && depth < deepest && (await lineageOf(teacher, {}, depth + 1)).scenes;
    return { run, teacher: known ? teacher : null, scenes };
  }
  const hashes = await builtinHashes();
  const teacher = metadata['dmd.teacher'] ? hashes.get(metadata['dmd.teacher']) : undefined;
  // An exported file says which file it was made from.
  const origin = metadata['dmd.sha256'] ? hashes.get(metadata['dmd.sha256']) : undefined;
  const fromBuiltin = origin !== undefined && origin !== builtinTeacher ? builtinTeacher : null;
  return { run, teacher: teacher ?? fromBuiltin, scenes: (teacher ?? origin) !== undefined };
}

/** Names by id; the id itself where a class has none. */
export function classNames(labelDim: number, { scenes }: Pick<Lineage, 'scenes'>): string[] {
  return Array.from({ length: labelDim }, (_, id) => (scenes ? (shapes[id]?.name ?? String(id)) : String(id)));
}

/** The run folder that a file or model folder is the output of. */
export function runOf(path: string): string | null {
  if (!isAbsolute(path) || !runOutputs.includes(basename(path))) return null;
  const folder = dirname(path);
  return existsSync(runPaths(folder).info) ? folder : null;
}

function isBuiltin(path: string): boolean {
  return Object.keys(builtinModels).some((name) => modelPath(`builtin:${name}`) === path);
}

function configOf(run: string): Config | null {
  try {
    return readConfig(runPaths(run));
  } catch {
    return null; // damaged: the model can be used all the same
  }
}

let hashes: Promise<Map<string, string>> | undefined;

/** Built-in models by the hash of their file. */
function builtinHashes(): Promise<Map<string, string>> {
  hashes ??= Promise.all(
    Object.keys(builtinModels).map(async (name) => {
      const model = `builtin:${name}`;
      return [(await hashOf(modelPath(model))) ?? '', model] as const;
    }),
  ).then((entries) => new Map(entries));
  return hashes;
}
