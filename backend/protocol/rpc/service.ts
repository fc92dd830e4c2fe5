/** The backend itself: who it is, its devices, its log; and configs, checked with all that it knows. */
import { configKinds, devices, drawingDevices } from '../config/common.ts';
import { problemCodes } from '../config/problems.ts';
import { z } from '../config/zod.ts';
import { listingSchema } from '../debug-requests.ts';
import { configText, nothing, notification, path, request } from './define.ts';

/** Raised when a message changes; the two sides come from one package, so another number means a mixed installation. */
export const protocolVersion = 2;

/** The first request. */
export const initialize = request(
  'initialize',
  z.object({ protocolVersion: z.int() }),
  z.object({ protocolVersion: z.int(), version: z.string(), node: z.string(), pid: z.int() }),
);
/** The last request: the backend ends itself after answering. Runs go on. */
export const shutdown = request('shutdown', z.object({}), nothing, 5);

/** Whether the backend still listens: any answer will do. Asked while it works on something without a time limit. */
export const ping = request('ping', z.object({}), nothing, 60);

export const deviceSchema = z.object({
  name: z.enum([...devices, ...drawingDevices]),
  available: z.boolean(),
  /** What it is, or why it cannot be used. */
  detail: z.string(),
});
/** Every device, the fastest first. */
export const listDevices = request('devices/list', z.object({}), z.array(deviceSchema), 120);

export const problemSchema = z.object({
  /** Which kind of mistake; the editor itself shows those of the syntax. */
  code: z.enum(problemCodes),
  /** Characters from the start of the text. */
  offset: z.int().min(0),
  length: z.int().min(0),
  message: z.string(),
  severity: z.enum(['error', 'warning']),
  /** What was probably meant, to be put in the place of these characters. */
  replacement: z.string().nullable(),
});
export type ConfigProblem = z.infer<typeof problemSchema>;

/** What is wrong with a config (`configProblems`), and what only the backend can know: missing weights, wrong label counts. */
export const checkConfig = request('config/check', z.object({ text: configText, file: path }), z.array(problemSchema));

/** The algorithm that a config asks for, line by line with its values. UserError('config') when it does not parse. */
export const listConfig = request('config/listing', z.object({ text: configText, file: path }), listingSchema);

const presetSchema = z.object({
  name: z.string(),
  kind: z.enum(configKinds),
  title: z.string(),
  detail: z.string(),
  /** What teachers its settings are for, with the side of their images in pixels; null where it takes none. */
  teacher: z.object({ prompt: z.boolean(), side: z.int(), classes: z.boolean() }).nullable().default(null),
  /** The text of a new config. */
  text: z.string(),
});
export type PresetInfo = z.infer<typeof presetSchema>;

/** Configs that come with the package. */
export const listPresets = request('config/presets', z.object({}), z.array(presetSchema));

/** A line for the output channel. */
export const log = notification(
  'log',
  z.object({ level: z.enum(['debug', 'info', 'warning', 'error']), text: z.string() }),
);
