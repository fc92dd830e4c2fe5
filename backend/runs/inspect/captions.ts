/**
 * What the images that a run records are of, and what they come from: prompts or classes, the seed of their noise, and the
 * checkpoints that hold their networks. From the config alone: no network is opened.
 */
import path from 'node:path';
import { readPrompts } from '../../methods/common/prompts.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { Captions } from '../../protocol/rpc/runs.ts';
import { readSafetensorsHeader } from '../../weights/safetensors.ts';
import { listCheckpoints } from '../checkpoints/checkpoints.ts';
import { listFields } from '../fields/fields.ts';
import { classNames, lineageOf } from '../folder/lineage.ts';
import { type RunPaths, readConfig, readRun, runPaths } from '../folder/run-folder.ts';

/** @throws UserError for a folder whose config cannot be read */
export async function captionsOf(folder: string): Promise<Captions> {
  const paths = runPaths(folder);
  const config = readConfig(paths);
  const checkpoints = [...new Set(listCheckpoints(paths.checkpoints).map(({ step }) => step))].reverse();
  const facts = { seed: config.seed, checkpoints };
  if (config.kind !== 'distill') return { ...facts, latent: false, count: 0, samples: [], probe: [] };
  const { samples, samplesEvery, probe } = config.record;
  const counts = { samples: samplesEvery > 0 ? samples : 0, probe: probe.count };
  const latent = config.text.prompts !== undefined;
  const names = latent ? promptsOf(paths, config, Math.max(counts.samples, counts.probe)) : await classesOf(paths);
  const inTurn = (count: number) =>
    names.length === 0 ? [] : Array.from({ length: count }, (_, i) => names[i % names.length]!);
  return { ...facts, latent, count: counts.samples, samples: inTurn(counts.samples), probe: inTurn(counts.probe) };
}

/** The run's, in turn; none where they are not what the run was given any more. @param needed as many are of use */
function promptsOf(paths: RunPaths, config: DistillConfig, needed: number): readonly string[] {
  try {
    // Of the captioned scenes every one is made anew: no more than are of use.
    if (config.text.prompts === 'scenes') {
      const { count = needed } = config.text;
      return readPrompts({ ...config, text: { ...config.text, count: Math.min(count, needed) } }).prompts;
    }
    const { prompts, sha256 } = readPrompts(config);
    const recorded = readRun(paths.folder).info?.inputs['text.prompts']?.sha256;
    return recorded === undefined || recorded === sha256 ? prompts : [];
  } catch {
    return []; // the file is gone: the pictures can be looked at all the same
  }
}

/** By number, where the probe's labels say how many there are. */
async function classesOf(paths: RunPaths): Promise<readonly string[]> {
  const [first] = listFields(paths.fields, 'probe');
  if (!first) return [];
  try {
    const { entries } = await readSafetensorsHeader(first.path);
    const classes = entries.find(({ name }) => name === 'labels')?.shape[1] ?? 0;
    if (classes === 0) return [];
    return classNames(classes, await lineageOf(path.join(paths.folder, 'generator.safetensors'), {}));
  } catch {
    return [];
  }
}
