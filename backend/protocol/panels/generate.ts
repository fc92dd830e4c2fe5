/**
 * The generate panel's page and its host. The host owns everything (form, models, queue, history); the page shows it, and
 * keeps only which entry is looked at. Pictures travel as PNG files and only when they are asked for.
 */
import { z } from '../config/zod.ts';
import { bytes, nothing, notification, request } from '../rpc/define.ts';
import { generateSettingsSchema, modelInfoSchema, seedSchema } from '../rpc/images.ts';
import { formSchema, gridSchema, mostImages, restorableSchema } from './generate-form.ts';

export { type Form, formSchema, mostImages } from './generate-form.ts';

/** What one model made. */
export const sideSchema = z.object({
  settings: generateSettingsSchema,
  title: z.string(),
  role: z.enum(['teacher', 'generator']),
  device: z.string(),
  why: z.string(),
  width: z.int(),
  height: z.int(),
  millisecondsPerImage: z.number(),
  startupMilliseconds: z.number(),
  modelSha256: z.string(),
  /** What the person should know of the prompt. */
  notes: z.array(z.string()).default([]),
  images: z.array(z.object({ seed: seedSchema, class: z.int().nullable(), className: z.string() })).min(1),
});
export type Side = z.infer<typeof sideSchema>;

/** One generation as the history keeps it: by one model, by two side by side, or a grid of single images. */
export const entrySchema = z.object({
  id: z.string().regex(/^[\w-]{1,80}$/),
  /** ISO 8601. */
  createdAt: z.string(),
  sides: z.array(sideSchema).min(1).max(mostImages),
  /** The sides are its cells, row by row. */
  grid: gridSchema.nullable().default(null),
  favourite: z.boolean().default(false),
});
export type Entry = z.infer<typeof entrySchema>;

/** A generation that waits or is under way. */
export const jobSchema = z.object({
  id: z.string(),
  title: z.string(),
  /** What is being done, translated. */
  label: z.string(),
  done: z.number(),
  total: z.number(),
  waiting: z.boolean(),
  /** Between two steps: the image so far. */
  preview: bytes.nullable(),
});
export type Job = z.infer<typeof jobSchema>;

/** All that is shown but the pictures. */
export const viewSchema = z.object({
  form: formSchema,
  /** Another number when the host changed the form: the page takes it over then, and only then. */
  formVersion: z.int(),
  /** The last change of the page's that the host had heard of. */
  formHeard: z.int(),
  models: z.array(modelInfoSchema),
  /** `loading` until the backend has answered. */
  state: z.enum(['loading', 'ready', 'failed']),
  /** Why there are no models. */
  problem: z.string(),
  devices: z.array(z.object({ name: z.string(), detail: z.string(), available: z.boolean() })),
  /** The newest first. */
  history: z.array(entrySchema),
  /** The newest first, each once. */
  prompts: z.array(z.string()),
  /** Name of the file that a picture can be inserted into; '' for none. */
  document: z.string(),
  /** The queue, the one under way first. */
  jobs: z.array(jobSchema),
  /** The entry to look at now; '' leaves that to the page. */
  show: z.string(),
});
export type View = z.infer<typeof viewSchema>;

/** An image that is shown while the person types. */
const liveSchema = z.object({
  /** Its number, for what is done with it. */
  live: z.int(),
  png: bytes,
  width: z.int(),
  height: z.int(),
  millisecondsPerImage: z.number(),
  notes: z.array(z.string()),
});
export type Live = z.infer<typeof liveSchema>;

const imageRef = z.object({ entry: z.string(), side: z.int().min(0), image: z.int().min(0) });

/** The page's first question. */
export const readView = request('generate/view', z.object({}), viewSchema);
/** Answered when it is in the queue. */
export const start = request(
  'generate/start',
  z.object({
    form: formSchema,
    /** The live image is what is wanted: its seed stays. */
    keep: z.boolean(),
  }),
  nothing,
);
/** The image of the prompt as far as it is typed; null when a later one has overtaken it. Not kept in the history. */
export const drawLive = request('generate/live', formSchema, liveSchema.nullable(), null);
export const cancelJob = request('generate/cancel', z.object({ job: z.string() }), nothing);
/** The PNG files of an entry, by side. */
export const readImages = request(
  'generate/images',
  z.object({ entry: z.string() }),
  z.object({ sides: z.array(z.array(bytes)) }),
);
export const readThumbnail = request('generate/thumbnail', z.object({ entry: z.string() }), z.object({ png: bytes }));
/** Asks where to; answers how many were saved, 0 when the person changed their mind. */
export const saveImage = request('generate/save', imageRef, z.int(), null);
/** The same for the image that is shown live, by its number; it is not in the history. */
export const saveLive = request('generate/saveLive', z.object({ live: z.int() }), z.int(), null);
export const saveAll = request('generate/saveAll', z.object({ entry: z.string() }), z.int(), null);
/** Into the document that was active last; answers with the picture's path in it. */
export const insertImage = request('generate/insert', imageRef, z.string());
/** Opens the score inspector on an image that a run's generator made, at the same noise. */
export const inspectImage = request('generate/inspect', imageRef, nothing);
/**
 * Puts the settings of an entry, or of one of its images, into the form. Answers with the settings that did not fit, by name,
 * [] when all did.
 */
export const restoreEntry = request(
  'generate/restore',
  imageRef.partial({ image: true }),
  z.object({ lost: z.array(restorableSchema) }),
);
/** The same from a PNG; null: the person picks a file. Null when they changed their mind, or were told what is missing. */
export const restorePng = request(
  'generate/restorePng',
  z.object({ png: bytes.nullable() }),
  z.object({ lost: z.array(restorableSchema) }).nullable(),
  null,
);
/** Asks for the folder of a decoder; null when the person changed their mind. */
export const pickDecoder = request('generate/pickDecoder', z.object({}), z.string().nullable(), null);
export const deleteEntry = request('generate/delete', z.object({ entry: z.string() }), nothing);
/** Brings back what was deleted last. */
export const undoDelete = request('generate/undoDelete', z.object({}), nothing);
export const setFavourite = request(
  'generate/favourite',
  z.object({ entry: z.string(), favourite: z.boolean() }),
  nothing,
);
export const reloadModels = request('generate/reload', z.object({}), nothing, 150);

/** The person changed the form; it is remembered. */
export const formChanged = notification('generate/form', z.object({ form: formSchema, change: z.int() }));

export const viewChanged = notification('generate/viewChanged', viewSchema);
/** The queue, the one under way first. */
export const jobsChanged = notification('generate/jobs', z.object({ jobs: z.array(jobSchema) }));
/** A generation is done; `spoken` says so in words. */
export const finished = notification('generate/finished', z.object({ entry: z.string(), spoken: z.string() }));
/** One did not work out. */
export const failed = notification('generate/failed', z.object({ message: z.string() }));
