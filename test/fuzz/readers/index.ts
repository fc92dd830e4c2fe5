/** Everything in this program that reads what others wrote. */
import type { Reader } from '../reader.ts';
import { adapterMessages } from './adapter.ts';
import { npz, onnx } from './arrays.ts';
import { configs } from './configs.ts';
import { datasetFolders, datasetZips, idxFolders, pairSets, pictures, prompts } from './data.ts';
import { diffusers, tokenizers } from './diffusers.ts';
import { frames, requests } from './messages.ts';
import { photos } from './photos.ts';
import { checkpoints, events, prepareRuns, runs } from './runs.ts';
import { checkpointTrees, picklePrograms, pickles, safetensors, torchZips, weightFiles } from './weights.ts';

export const readers: readonly Reader[] = [
  ...[weightFiles, safetensors, torchZips, pickles, picklePrograms, checkpointTrees, npz, onnx, diffusers, tokenizers],
  ...[events, runs, checkpoints, configs],
  ...[datasetFolders, datasetZips, idxFolders, photos, pictures, prompts, pairSets],
  ...[frames, requests, adapterMessages],
];

/** What the readers' inputs are made of and that takes time. */
export const prepare = prepareRuns;
