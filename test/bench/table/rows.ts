/** The rows of the table: what is measured, with how many threads, against whom. */
import { batch, builtInNetwork, cifarNetwork } from '../lib/dmd-case.ts';
import type { Workload } from './workload.ts';
import { edmIteration } from './workloads/edm-iteration.ts';
import { edmSample } from './workloads/edm-sample.ts';
import { latentIteration } from './workloads/latent-iteration.ts';
import { pairs } from './workloads/pairs.ts';
import { perceptual } from './workloads/perceptual.ts';
import { picture } from './workloads/picture.ts';
import { product } from './workloads/product.ts';

export type Peer = 'PyTorch' | 'OpenVINO';

export interface Row {
  /** Rows are picked by words in it. */
  readonly id: string;
  readonly name: string;
  readonly workload: Workload;
  readonly threads: readonly number[];
  readonly peers: readonly Peer[];
  /** Turns after the warming ones. */
  readonly turns: number;
  /** What `--quick` does of it; left out, nothing. */
  readonly quick?: { readonly turns: number; readonly threads: readonly number[] };
  /** Whether `npm run bench -- guard` looks at it. */
  readonly guarded: boolean;
}

const torch = ['PyTorch'] as const;
const both = ['PyTorch', 'OpenVINO'] as const;

export const rows: readonly Row[] = [
  {
    ...{ id: 'dmd-built-in', name: 'DMD iteration, built-in model, 32 images and 32 pairs', threads: [1, 2] },
    workload: edmIteration({ network: builtInNetwork, batch }),
    ...{ peers: torch, turns: 9, quick: { turns: 3, threads: [2] }, guarded: true },
  },
  {
    ...{ id: 'dmd-cifar', name: 'DMD iteration, EDM DDPM++ at CIFAR-10 size, 8 images and 8 pairs', threads: [1, 2] },
    workload: edmIteration({ network: cifarNetwork, batch: 8 }),
    ...{ peers: torch, turns: 5, quick: { turns: 1, threads: [2] }, guarded: false },
  },
  {
    ...{ id: 'dmd-text', name: 'DMD iteration, built-in text model, 8 latents and 8 pairs', threads: [1, 2] },
    ...{ workload: latentIteration, peers: torch, turns: 9, quick: { turns: 3, threads: [2] }, guarded: true },
  },
  {
    ...{ id: 'sample-built-in', name: 'One-step sample, built-in model, 16 images', threads: [1, 2] },
    workload: edmSample({ of: 'built-in', steps: 1, batch: 16 }),
    ...{ peers: torch, turns: 15, quick: { turns: 5, threads: [2] }, guarded: true },
  },
  {
    ...{ id: 'heun-built-in', name: 'Heun-18 sample, built-in model, 16 images', threads: [1, 2] },
    workload: edmSample({ of: 'built-in', steps: 18, batch: 16 }),
    ...{ peers: torch, turns: 9, quick: { turns: 3, threads: [2] }, guarded: true },
  },
  {
    ...{ id: 'sample-cifar', name: 'One-step sample, EDM DDPM++, 8 images', threads: [1, 2] },
    workload: edmSample({ of: 'cifar', steps: 1, batch: 8 }),
    ...{ peers: torch, turns: 9, quick: { turns: 3, threads: [2] }, guarded: false },
  },
  {
    ...{ id: 'heun-cifar', name: 'Heun-18 sample, EDM DDPM++, 8 images', threads: [1, 2] },
    workload: edmSample({ of: 'cifar', steps: 18, batch: 8 }),
    ...{ peers: torch, turns: 5, guarded: false },
  },
  {
    ...{ id: 'sample-text', name: 'One-step picture, built-in text model, 64x64', threads: [1, 2] },
    workload: picture({ of: 'built-in', decoder: 'full' }),
    ...{ peers: both, turns: 15, quick: { turns: 5, threads: [2] }, guarded: true },
  },
  {
    ...{ id: 'pairs', name: 'Pairs of the built-in teacher, 18 Heun steps, 64 at a time', threads: [1, 2] },
    ...{ workload: pairs, peers: torch, turns: 5, guarded: false },
  },
  {
    ...{ id: 'lpips', name: 'LPIPS forward and backward, 4 pairs of 224x224', threads: [1, 2] },
    ...{ workload: perceptual, peers: torch, turns: 9, quick: { turns: 3, threads: [2] }, guarded: true },
  },
  {
    ...{ id: 'picture-tiny', name: 'One-step picture, SD 1.5 at 512x512, tiny decoder', threads: [2] },
    workload: picture({ of: 'sd15', decoder: 'tiny' }),
    ...{ peers: both, turns: 5, quick: { turns: 1, threads: [2] }, guarded: false },
  },
  {
    ...{ id: 'picture-full', name: 'One-step picture, SD 1.5 at 512x512, full decoder', threads: [2] },
    ...{ workload: picture({ of: 'sd15', decoder: 'full' }), peers: both, turns: 3, guarded: false },
  },
];

/** What the machine does at most: beside every row, not one of them. */
export const machine: Row = {
  ...{ id: 'product', name: 'Matrix product', workload: product, threads: [], peers: [], turns: 0, guarded: false },
};

/** Throws where there is none of this name. */
export function rowOf(id: string): Row {
  const found = [...rows, machine].find((row) => row.id === id);
  if (!found) throw new Error(`no row ${id}: there are ${rows.map((row) => row.id).join(', ')}`);
  return found;
}

/** Those of which a word is part of the name; all without words. */
export function picked(words: readonly string[]): Row[] {
  const found = rows.filter(({ id }) => words.length === 0 || words.some((word) => id.includes(word)));
  if (found.length === 0) throw new Error(`no row matches ${words.join(', ')}: ${rows.map(({ id }) => id).join(', ')}`);
  return found;
}
