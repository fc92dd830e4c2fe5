/** What the person chose in the generate panel, or would like to: the form as the page and the host share it. */
import { z } from '../config/zod.ts';
import { imageSideSchema, seedSchema } from '../rpc/images.ts';

/** As many pictures as one looks at together. */
export const mostImages = 64;
export const mostSteps = 1000;
export const largestGuidance = 100;

/** What a grid can go through along one of its sides. */
export const axisSettings = [
  ...(['steps', 'guidance', 'sampler', 'seed', 'prompt', 'negative'] as const),
  ...(['class', 'model', 'size', 'device'] as const),
] as const;
export type AxisSetting = (typeof axisSettings)[number];

export const axisSchema = z.object({
  setting: z.enum(axisSettings),
  /** As they are written: numbers, names, a prompt, a size as `64 x 48`. */
  values: z.array(z.string().max(10_000)).max(mostImages),
});
export type Axis = z.infer<typeof axisSchema>;

/** Columns, and rows where there are any. */
export const gridSchema = z.object({ x: axisSchema, y: axisSchema.nullable() });
export type Grid = z.infer<typeof gridSchema>;

export const formSchema = z.object({
  model: z.string(),
  /** One class for all, `seed`: drawn from each seed, `each`: one after the other. */
  class: z.union([z.int().min(0), z.enum(['seed', 'each'])]),
  prompt: z.string().max(10_000),
  /** What the image is to be unlike. */
  negative: z.string().max(10_000).default(''),
  /** Guidance scale; null: the model's own. */
  guidance: z.number().min(0).max(largestGuidance).nullable().default(null),
  /** The image follows the typing, where the model needs one step. */
  live: z.boolean().default(false),
  /** Of the first image; the others count up from it. */
  seed: seedSchema,
  /** Otherwise every generation draws another seed. */
  locked: z.boolean(),
  /** The seed is kept because a picture was restored, not because the person asked for that. */
  restored: z.boolean().default(false),
  count: z.int().min(1).max(mostImages),
  /** Null: as many as the model asks for. */
  steps: z.int().min(1).max(mostSteps).nullable(),
  /** Of the model that makes several steps; null: its own. */
  sampler: z.string().max(40).nullable().default(null),
  /** Height and width; null: the model's own. */
  size: z.tuple([imageSideSchema, imageSideSchema]).nullable().default(null),
  /** Folder of what makes a text model's pixels, or its name on the hub; '' is the model's own. */
  decoder: z.string().max(32_768).default(''),
  device: z.string(),
  /** Also by another model, from the same seeds and classes. */
  beside: z.boolean(),
  /** That model; '' is the one that `model` was distilled from. */
  other: z.string(),
  /** One image for every pair of values. */
  asGrid: z.boolean().default(false),
  grid: gridSchema.default({ x: { setting: 'steps', values: [] }, y: null }),
});
export type Form = z.infer<typeof formSchema>;

/** What an image depends on that can be restored, and what the form calls it: keys of GenerateSettings and of the texts. */
export const restorable = {
  ...({ model: 'model', seeds: 'count', classes: 'class', prompt: 'prompt', negative: 'negative' } as const),
  ...({ guidance: 'guidance', sampler: 'sampler', size: 'size', steps: 'steps', decoder: 'decoder' } as const),
};
export type Restorable = keyof typeof restorable;
export const restorableSchema = z.enum(Object.keys(restorable) as [Restorable, ...Restorable[]]);

const pictureOf = ['model', 'class', 'prompt', 'negative'] as const;

/** A seed that came with a restored picture is kept for that picture alone: for another one it is let go. */
export function keepingSeed(before: Form, after: Form): Form {
  const isSame = pictureOf.every((key) => before[key] === after[key]);
  return isSame || !after.restored ? after : { ...after, locked: false, restored: false };
}

/** `64 x 48` is 64 wide and 48 high, `64` both; null for what is no size. */
export function parseSize(text: string): [height: number, width: number] | null {
  const [, width, height = width] = /^\s*(\d{1,4})(?:\s*[x×*]\s*(\d{1,4}))?\s*$/i.exec(text) ?? [];
  const size = [Number(height), Number(width)] as [number, number];
  return size.every((side) => imageSideSchema.safeParse(side).success) ? size : null;
}

export function sizeText([height, width]: readonly [number, number]): string {
  return `${width} x ${height}`;
}

export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
