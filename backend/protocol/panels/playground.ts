/**
 * The playground's page and its host. The page owns what is set and looked at; the host starts runs with it and passes on what the page
 * asks of the one run that is shown. `forwarded` are the backend's own requests, about that run only.
 */
import { z } from '../config/zod.ts';
import type { planeSchema } from '../plane.ts';
import { advanceRun, changeRun, commandRun, paceRun, readPlane } from '../rpc/asks.ts';
import { nothing, notification, path, request } from '../rpc/define.ts';
import { paceSchema, runChanged, runRecordSchema, runRemoved } from '../rpc/runs.ts';
import { playgroundSettingsSchema } from './playground-settings.ts';

export { advanceRun, changeRun, commandRun, paceRun, readPlane, runChanged, runRemoved };

/** A run as the page takes it up: what it was told to do. */
export const shownPlaygroundSchema = z.object({
  record: runRecordSchema,
  settings: playgroundSettingsSchema.omit({ name: true }),
});
export type ShownPlayground = z.infer<typeof shownPlaygroundSchema>;

/** The page is there: from now on it is told of this run, which a page before it showed; null when it is gone, or there was none. */
export const takeUp = request(
  'playground/takeUp',
  z.object({ folder: path.nullable() }),
  shownPlaygroundSchema.nullable(),
);
/** Ends the run that is shown, if there is one, and starts another. */
export const begin = request(
  'playground/begin',
  z.object({ settings: playgroundSettingsSchema, pace: paceSchema }),
  shownPlaygroundSchema,
  150,
);
/** Goes on with the run that is shown, whose process has ended. */
export const goOn = request('playground/goOn', z.object({ folder: path, set: z.array(z.string()) }), nothing, 150);
/** The run that is shown ends with a checkpoint, and none is shown. */
export const letGo = request('playground/letGo', z.object({}), nothing, 60);
export const openRunMonitor = request('playground/monitor', z.object({ folder: path }), nothing);
export const openRunConfig = request('playground/config', z.object({ folder: path }), nothing);

/** The backend is a new one: what was asked is forgotten. */
export const playgroundAgain = notification('playground/again', z.object({}));

/** What the page keeps for its next life. */
export const playgroundStateSchema = z.object({
  folder: z.string().nullable(),
  settings: playgroundSettingsSchema,
  /** Of the scores that are shown. */
  sigma: z.number(),
  layers: z.record(z.string(), z.boolean()),
  perSecond: z.number().nullable(),
  /** The last reading, its arrays as lists: shown until there is a new one. */
  reading: z.record(z.string(), z.union([z.number(), z.array(z.number()), z.null()])).nullable(),
});
export type PlaygroundState = z.infer<typeof playgroundStateSchema>;

export type PlaneReading = z.infer<typeof planeSchema>;
