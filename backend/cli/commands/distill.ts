/** `dmd distill`: a teacher becomes a one-step generator. */
import type { Command } from 'commander';
import { createOutput } from '../output.ts';
import { trainNotes, trainOptions } from '../train/options.ts';
import type { TrainOptions } from '../train/train.ts';

interface DistillOptions extends TrainOptions {
  readonly teacher?: string;
  readonly pairs?: string;
}

const notes = `
Without a config: the built-in teacher with the defaults of every key.
  dmd distill --teacher builtin:scenes --iterations 500
  dmd distill my.dmd.json --set generator.lr=1e-5
  dmd distill my.dmd.json --plan
  dmd distill --resume runs/2025-01-31-scenes --set iterations=8000`;

const presets = [
  ...[
    'first-run',
    'figure-3',
    'figure-3-real-only',
    'figure-3-regression',
    'figure-3-diff-instruct',
    'two-modes-consistency',
    'figure-3-progressive',
  ],
  ...['scenes', 'scenes-no-matching', 'scenes-no-regression', 'scenes-sigma', 'scenes-sigma3'],
  ...[
    'scenes-dmd2',
    'scenes-diff-instruct',
    'scenes-consistency',
    'scenes-progressive',
    'fashion-mnist-dmd2',
    'fashion-mnist',
    'own-pictures',
  ],
  ...[
    'cifar10',
    'cifar10-unconditional',
    'imagenet64',
    'imagenet64-dmd2',
    'sd15-guidance3',
    'sd15-guidance8',
    'scenes-text-student',
    'scenes-text-lcm',
  ],
];

export function registerDistill(program: Command): void {
  trainOptions(program.command('distill'), presets)
    .description('distill a diffusion model into a one-step generator')
    .option('--teacher <file>', 'EDM network-snapshot .pkl, .pt, .safetensors, a diffusers folder, or builtin:scenes')
    .option('--pairs <dir>', 'folder of noise-image pairs made with dmd pairs (default: made when the run starts)')
    .addHelpText('after', notes + trainNotes)
    .action(distill);
}

async function distill(file: string | undefined, options: DistillOptions): Promise<void> {
  const { assignmentsOf, train } = await import('../train/train.ts');
  const { parseConfig } = await import('../../protocol/config/index.ts');
  const assignments = assignmentsOf({ teacher: options.teacher, 'regression.pairs.path': options.pairs });
  const defaults = () => parseConfig('{ "kind": "distill", "name": "distill" }', 'the defaults');
  process.exitCode = await train({ kind: 'distill', defaults, assignments }, file, options, createOutput(options));
}
