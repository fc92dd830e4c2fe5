/** The keys that all kinds of config share, and the small building blocks. */
import { z } from './zod.ts';

/** Marks the value at a path as wrong, in words. */
export type Complain = (path: (string | number)[], message: string) => void;

/** A whole number from `min` on, and what it counts; '' for what counts nothing, such as a seed. */
export const whole = (min: number, unit: string, max = Number.MAX_SAFE_INTEGER) =>
  z.int().min(min).max(max).meta({ unit });

/** One of some words, with what each means: the editor shows it beside the word. */
export function choice<const T extends string>(meanings: Readonly<Record<T, string>>): z.ZodEnum<{ [K in T]: K }> {
  const words = Object.keys(meanings) as T[];
  return z.enum(words).meta({ enumDescriptions: words.map((word) => meanings[word]) });
}

/** A switch that is a count: every N iterations, 0 for never. */
export const every = (iterations: number, what: string) =>
  whole(0, 'iterations')
    .default(iterations)
    .describe(`${what}: every so many iterations; 0 never. Default ${iterations}.`);

/** What a run does: `kind` of its config. */
export const configKinds = ['distill', 'teach', 'teach-autoencoder', 'teach-text-encoder', 'teach-text'] as const;
export type ConfigKind = (typeof configKinds)[number];

/** The command of `dmd` that runs a kind of config. */
export const commandOfKind = (kind: ConfigKind) => (kind === 'distill' ? 'distill' : 'teach');

export const devices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'tensorflow'] as const;
/** Devices that draw pictures and train nothing: OpenVINO's. */
export const drawingDevices = ['openvino', 'openvino-bf16', 'openvino-gpu', 'openvino-npu'] as const;
export type DeviceName = (typeof devices)[number];

const launchKey = z
  .strictObject({
    mpi: z
      .strictObject({
        ranks: whole(1, 'ranks', 4096)
          .default(1)
          .describe(
            'Processes that train together, each with its share of every update; 1 none but its own. Default 1.',
          ),
        hostfile: z
          .string()
          .min(1)
          .optional()
          .describe("The machines, this one first, in the launcher's own format. Default: this machine alone."),
      })
      .prefault({})
      .describe('With mpirun, which must be installed.'),
  })
  .prefault({})
  .describe('Starts the run as several processes, which share every update. Default: one.');

export const runKeys = {
  $schema: z.string().optional().describe('Where the editor finds the JSON schema of this file; not used by the run.'),
  name: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the run, part of its folder name. Default: the config file name.'),
  seed: whole(0, '')
    .default(0)
    .describe('Fixes every random draw: same seed, config, device and version give the same bytes. Default 0.'),
  device: choice<DeviceName>({
    auto: 'The fastest that works on this machine.',
    cpu: 'ONNX Runtime on the processor; works everywhere, and the same seed gives the same bytes.',
    webgpu: 'A GPU of any vendor; nothing to install.',
    cuda: "An NVIDIA GPU; needs ONNX Runtime's CUDA part.",
    dml: 'DirectML: a GPU on Windows.',
    coreml: 'CoreML, on macOS.',
    tensorflow: 'TensorFlow.js, where @tensorflow/tfjs-node-gpu is installed.',
  })
    .default('auto')
    .describe('Where it computes; auto takes the fastest that works and says which. Default auto.'),
  threads: whole(0, 'threads')
    .default(0)
    .describe('CPU threads, of each rank; 0 as many as there are cores, shared by the ranks of a machine. Default 0.'),
  launch: launchKey,
  out: z
    .string()
    .min(1)
    .optional()
    .describe('Folder that run folders are created in. Default: runs, where dmd is called.'),
};

/** AdamW with warm-up and clipping; the paper uses the same everywhere but for the learning rate. */
export const optimizerKeys = (learningRate: number) => ({
  lr: z.number().nonnegative().default(learningRate).describe(`Learning rate after warm-up. Default ${learningRate}.`),
  weightDecay: z
    .number()
    .nonnegative()
    .default(0.01)
    .describe('Decoupled weight decay of AdamW, per unit of learning rate. Default 0.01 (paper).'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('Decay of the mean of gradients. Default 0.9.'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('Decay of the mean of squared gradients. Default 0.999.'),
  eps: z.number().positive().default(1e-8).describe('Added to the root of the squared-gradient mean. Default 1e-8.'),
  warmup: whole(0, 'updates')
    .default(500)
    .describe('Updates over which the learning rate rises linearly from 0; 0 none. Default 500 (paper).'),
  decay: choice({
    none: 'Keeps the learning rate.',
    cosine: 'Lowers it along half a cosine, to 0 at the last iteration.',
    linear: 'Lowers it in a straight line, to 0 at the last iteration.',
  })
    .default('none')
    .describe('What the learning rate does after warm-up. Default none.'),
  clip: z
    .number()
    .nonnegative()
    .default(10)
    .describe('Largest L2 norm of the gradient, larger ones are scaled down; 0 no limit. Default 10 (paper).'),
});

const emaDecay = z.number().min(0).lt(1);

/** Decay per update, as in most trackers of weights; a half-life of n updates is a decay of 0.5 ** (1 / n). */
export const emaKey = (decay: number) =>
  z
    .union([emaDecay, z.array(emaDecay).min(1)])
    .default(decay)
    .describe(
      `Decay per update of the averaged weights, which are what is sampled and exported (half-life n updates: ` +
        `0.5 ** (1 / n)), at most (1 + n) / (10 + n) in update n; 0 no averaging. A list keeps several averages: the first is ` +
        `sampled, the others are written beside it in the end. Default ${decay}.`,
    );

export const recomputeWords = {
  none: 'Keeps every value of the forward pass for the gradient: fastest.',
  blocks: 'Computes the inner values of each block a second time: about a third slower, with far less memory.',
} as const;

export const recomputeKey = choice(recomputeWords)
  .default('none')
  .describe('What the gradient keeps in memory. Default none.');

export const checkpointKey = z
  .strictObject({
    every: every(500, 'Write a checkpoint'),
    keep: whole(1, 'checkpoints').default(3).describe('Newest checkpoints to keep. Default 3.'),
    keepEvery: whole(0, 'iterations')
      .default(0)
      .describe('Also keep those at multiples of so many iterations; 0 none. Default 0.'),
  })
  .prefault({})
  .describe('Checkpoints; Ctrl-C and the end of the run write one too.');
