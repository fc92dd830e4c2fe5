/** Models, and images made with them. */
import { z } from '../config/zod.ts';
import { parseSeed } from '../seed.ts';
import { bytes, nothing, notification, path, request } from './define.ts';

/** A `Seed`. */
export const seedSchema = z.union([z.int(), z.string().refine((text) => parseSeed(text) === text)]);

export const modelInfoSchema = z.object({
  /** What `images/generate` takes: a `builtin:` name or an absolute path. */
  model: z.string(),
  title: z.string(),
  origin: z.enum(['builtin', 'run', 'imported', 'exported']),
  role: z.enum(['teacher', 'generator']),
  /** [C, H, W]; null when the file cannot be read. */
  imageShape: z.tuple([z.int(), z.int(), z.int()]).nullable(),
  /** Names of the classes, by id, the id itself where it has none; [] for a model without classes. */
  classes: z.array(z.string()),
  /** Whether it takes a prompt. */
  prompt: z.boolean(),
  /** Guidance scale unless one asks for another; null for a model that is not guided. */
  guidance: z.number().nullable().default(null),
  /** Network calls per image unless one asks for something else, e.g. 1, or 35 for 18 Heun steps. */
  steps: z.int(),
  /** Short names of the samplers that it can be drawn with, its own first; [] where there is nothing to choose. */
  samplers: z.array(z.string()).default([]),
  /** Height and width of its images are multiples of this; null for a model of one size. */
  sizeStep: z.int().nullable().default(null),
  bytes: z.number(),
  /** The run that made it. */
  run: path.nullable(),
  /** What it was distilled from, in the form of `model`; null where that is not known or not here. */
  teacher: z.string().nullable(),
  /** '' when it can be used. */
  problem: z.string(),
});
export type ModelInfo = z.infer<typeof modelInfoSchema>;

/** Built-in models, those that runs in `roots` have written, and `files` (imported or exported, .onnx included). */
export const listModels = request(
  'models/list',
  z.object({ roots: z.array(path), files: z.array(path) }),
  z.array(modelInfoSchema),
  120,
);

export const describeModel = request('models/describe', z.object({ model: z.string() }), modelInfoSchema, 120);

/** Writes a one-step generator, or a teacher's denoiser, as ONNX; a text-to-image model as a folder, `file`. */
export const exportModel = request(
  'models/export',
  z.object({ id: z.string(), model: z.string(), file: path }),
  z.object({ file: path, bytes: z.number() }),
  null,
);

/** Of an image, in pixels. */
export const imageSideSchema = z.int().min(8).max(2048);

/** Everything an image depends on; what a PNG carries and what the history keeps. */
export const generateSettingsSchema = z.object({
  model: z.string(),
  seeds: z.array(seedSchema).min(1).max(1024),
  /** One class for all, one for each, or null: drawn from each seed. */
  classes: z.array(z.int().min(0)).nullable(),
  prompt: z.string().max(10_000).nullable(),
  /** What the image is to be unlike; for a guided model. */
  negative: z.string().max(10_000).optional(),
  /** Guidance scale; left out, the model's own. 1 is without. */
  guidance: z.number().min(0).max(100).optional(),
  /** Sampler of a text model by its short name, e.g. ddim or pndm; left out, the model's own. */
  sampler: z.string().max(40).optional(),
  /** Height and width in pixels, for a text model; left out, the model's own. */
  size: z.tuple([imageSideSchema, imageSideSchema]).optional(),
  /** Folder of an autoencoder that makes a text model's pixels, or its name on the hub; left out, the model's own. */
  decoder: path.optional(),
  /** Sampler steps; 1 is a single call. */
  steps: z.int().min(1).max(1000),
  device: z.string(),
});
export type GenerateSettings = z.infer<typeof generateSettingsSchema>;

export const generatedSchema = z.object({
  images: z.array(
    z.object({
      seed: seedSchema,
      class: z.int().nullable(),
      /** Carries its settings in text chunks, unless that was switched off. */
      png: bytes,
    }),
  ),
  width: z.int(),
  height: z.int(),
  /** Wall time of sampling alone, and of everything before it (loading, compiling; 0 when it was ready). */
  millisecondsPerImage: z.number(),
  startupMilliseconds: z.number(),
  /** As chosen, and why. */
  device: z.string(),
  why: z.string(),
  modelSha256: z.string(),
  /** What the person should know of the prompt, e.g. words the model has never seen. */
  notes: z.array(z.string()).default([]),
});
export type Generated = z.infer<typeof generatedSchema>;

/** Cancelled by its token. `id` names it in `progress`. */
export const generateImages = request(
  'images/generate',
  z.object({ id: z.string(), settings: generateSettingsSchema, metadata: z.boolean() }),
  generatedSchema,
  null,
);

/** The settings a PNG of this program carries; null when it has none. What a file says is checked, never trusted. */
export const readPngSettings = request(
  'images/settings',
  z.object({ png: bytes }),
  z.object({ settings: generateSettingsSchema, text: z.record(z.string(), z.string()) }).nullable(),
);

/** What a picture says that cannot be made again as it is: another program's, or one of more options than settings have. */
export const foreignPictureSchema = z.object({
  /** For people, e.g. ComfyUI. */
  program: z.string(),
  /** Null where they cannot be read. */
  prompt: z.string().nullable(),
  negative: z.string().nullable(),
  /** Decimal digits, of up to 64 bits. */
  seed: z.string().nullable(),
});
export type ForeignPicture = z.infer<typeof foreignPictureSchema>;

/** Whose a PNG without settings is, and what of it can be used; null where it does not say. */
export const readForeignPng = request('images/foreign', z.object({ png: bytes }), foreignPictureSchema.nullable());

/** Frees what `images/generate` keeps ready. */
export const releaseModels = request('models/release', z.object({}), nothing);

/** What a sampler with several steps has so far, for a request with an id: a small PNG of the first image. */
export const imagePreview = notification(
  'images/preview',
  z.object({ id: z.string(), step: z.int(), steps: z.int(), png: bytes }),
);

/** How far a request with an id is. */
export const progress = notification(
  'progress',
  z.object({ id: z.string(), label: z.string(), done: z.number(), total: z.number() }),
);
